"""What there is to subscribe to: the public catalogue, and what the organization provides or holds itself."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import queries
from marketplace.mapping import api_view, operation_view, plan_view, version_view
from marketplace.models import Version
from marketplace.rest.serializers import (
    ApiSerializer,
    ApisQuery,
    OfApiQuery,
    PlanSerializer,
    VersionSerializer,
    WholeVersionSerializer,
)
from marketplace.rest.view import ShopView


class Apis(ShopView):
    permission = "apis.read"
    serializer_class = ApiSerializer

    @extend_schema(operation_id="apis_list", parameters=[ApisQuery], responses=ApiSerializer(many=True))
    def get(self, request: Request) -> Response:
        asked = self.asked(ApisQuery)
        rows = queries.matching(queries.visible_apis(self.org, priced=True), q=asked["q"], category=asked["category"])
        return self.mapped(rows, api_view)


class OneApi(ShopView):
    permission = "apis.read"
    serializer_class = ApiSerializer

    @extend_schema(operation_id="apis_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.shown(api_view(queries.visible_api(slug, viewer=self.org, priced=True)))


class Versions(ShopView):
    permission = "apis.read"
    serializer_class = VersionSerializer

    @extend_schema(operation_id="versions_list", parameters=[OfApiQuery], responses=VersionSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = queries.visible_versions(self.org)
        if slug := self.asked(OfApiQuery).get("api"):
            rows = rows.filter(api__slug=slug)
        return self.mapped(rows, _with_api)


class OneVersion(ShopView):
    """A version with its operations and its document."""

    permission = "apis.read"
    serializer_class = WholeVersionSerializer

    @extend_schema(operation_id="versions_retrieve")
    def get(self, request: Request, id: UUID) -> Response:
        row = queries.visible_version(self.org, id=id)
        operations = row.operations.select_related("version__api").defer("version__document")
        whole = {"operations": [operation_view(each) for each in operations], "document": row.document}
        return self.shown(_with_api(row) | whole)


class Plans(ShopView):
    permission = "plans.read"
    serializer_class = PlanSerializer

    @extend_schema(operation_id="plans_list", parameters=[OfApiQuery], responses=PlanSerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = queries.visible_plans(self.org)
        if slug := self.asked(OfApiQuery).get("api"):
            rows = rows.filter(apis__slug=slug)
        return self.mapped(rows, plan_view)


class OnePlan(ShopView):
    permission = "plans.read"
    serializer_class = PlanSerializer

    @extend_schema(operation_id="plans_retrieve")
    def get(self, request: Request, slug: str) -> Response:
        return self.shown(plan_view(queries.visible_plan(self.org, slug=slug)))


def _with_api(row: Version) -> dict[str, object]:
    return vars(version_view(row)) | {"api": row.api.slug}
