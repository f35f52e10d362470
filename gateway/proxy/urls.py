"""Every path is an API's: nothing of our own stands among them."""

from django.urls import re_path

from gateway.proxy.views import ProxyView

urlpatterns = [re_path(r"", ProxyView.as_view())]
handler500 = "gateway.proxy.views.broken"
