"""What an organization holds: subscriptions and keys. What another organization holds is not found."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from kit.django.idempotency import idempotent
from marketplace import queries
from marketplace.actions.keys import create_key, rename_key, reveal_test_key, revoke_key, roll_key
from marketplace.actions.subscriptions import cancel_subscription, subscribe_free
from marketplace.mapping import subscription_view
from marketplace.rest.limits import limited
from marketplace.rest.serializers import (
    CreateKeySerializer,
    KeySerializer,
    MintedKeySerializer,
    OfProjectQuery,
    RenameKeySerializer,
    RevealedSerializer,
    RollKeySerializer,
    SubscribeSerializer,
    SubscriptionSerializer,
)
from marketplace.rest.view import ShopView
from marketplace.values import KeyView


class Subscriptions(ShopView):
    permission = {"GET": "subscriptions.read", "POST": "subscriptions.write"}
    serializer_class = SubscriptionSerializer

    @extend_schema(
        operation_id="subscriptions_list", parameters=[OfProjectQuery], responses=SubscriptionSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        rows = queries.subscriptions(self.org)
        if project := self.asked(OfProjectQuery).get("project"):
            rows = rows.filter(project=project)
        return self.mapped(rows, lambda row: subscription_view(row, at=self.at))

    @extend_schema(
        operation_id="subscriptions_create", request=SubscribeSerializer, responses={201: SubscriptionSerializer}
    )
    @idempotent()
    def post(self, request: Request) -> Response:
        """Subscribe a project to a free plan. A live subscription to the same plan is answered as it is."""
        asked = self.body(SubscribeSerializer)
        held = subscribe_free(
            self.org,
            project_id=self.project_or_default(asked.get("project")),
            api_slug=asked["api"],
            plan_slug=asked.get("plan", ""),
            user_id=self.principal.user_id,
            actor=self.actor,
            at=self.at,
        )
        return self.shown(held, status=201)


class OneSubscription(ShopView):
    permission = "subscriptions.read"
    serializer_class = SubscriptionSerializer

    @extend_schema(operation_id="subscriptions_retrieve")
    def get(self, request: Request, id: UUID) -> Response:
        return self.shown(subscription_view(queries.subscription(self.org, id=id), at=self.at))


class CancelSubscription(ShopView):
    permission = "subscriptions.write"
    serializer_class = SubscriptionSerializer

    @extend_schema(operation_id="subscriptions_cancel", request=None, responses=SubscriptionSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Let a free subscription end with its period (`change_at`)."""
        return self.shown(cancel_subscription(self.org, id=id, actor=self.actor, at=self.at))


class Keys(ShopView):
    permission = {"GET": "keys.read", "POST": "keys.write"}
    serializer_class = KeySerializer

    @extend_schema(operation_id="keys_list", parameters=[OfProjectQuery], responses=KeySerializer(many=True))
    def get(self, request: Request) -> Response:
        rows = queries.keys(self.org)
        if project := self.asked(OfProjectQuery).get("project"):
            rows = rows.filter(project=project)
        shown = queries.key_views(self.org, self.paginate_queryset(rows) or ())
        return self.get_paginated_response(self.get_serializer(shown, many=True).data)

    @extend_schema(operation_id="keys_create", request=CreateKeySerializer, responses={201: MintedKeySerializer})
    @idempotent(secrets=("secret",))
    @limited("keys")
    def post(self, request: Request) -> Response:
        """Mint a key. A live key's `secret` is shown in this answer and never again."""
        asked = self.body(CreateKeySerializer)
        project = self.project_or_default(asked.pop("project", None))
        return _minted(*create_key(self.org, project_id=project, **asked, actor=self.actor, at=self.at))


class OneKey(ShopView):
    permission = {"GET": "keys.read", "PATCH": "keys.write"}
    serializer_class = KeySerializer

    @extend_schema(operation_id="keys_retrieve")
    def get(self, request: Request, id: UUID) -> Response:
        return self.shown(queries.key_views(self.org, [queries.key(self.org, id=id)])[0])

    @extend_schema(operation_id="keys_rename", request=RenameKeySerializer)
    def patch(self, request: Request, id: UUID) -> Response:
        asked = self.body(RenameKeySerializer)
        return self.shown(rename_key(self.org, id=id, name=asked["name"], actor=self.actor, at=self.at))


class RevokeKey(ShopView):
    permission = "keys.write"
    serializer_class = KeySerializer

    @extend_schema(operation_id="keys_revoke", request=None, responses=KeySerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Revoke a key: one second after this answer no gateway lets a call with it through."""
        return self.shown(revoke_key(self.org, id=id, actor=self.actor, at=self.at))


class RollKey(ShopView):
    permission = "keys.write"
    serializer_class = KeySerializer

    @extend_schema(operation_id="keys_roll", request=RollKeySerializer, responses={201: MintedKeySerializer})
    @idempotent(secrets=("secret",))
    @limited("keys")
    def post(self, request: Request, id: UUID) -> Response:
        """Mint a successor with the same rights; the old key works for `overlap` longer."""
        asked = self.body(RollKeySerializer)
        return _minted(*roll_key(self.org, id=id, overlap=asked["overlap"], actor=self.actor, at=self.at))


class RevealKey(ShopView):
    permission = "keys.write"
    serializer_class = RevealedSerializer

    @extend_schema(operation_id="keys_reveal", request=None, responses=RevealedSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Show a test key's secret again. A live key's is stored nowhere (409)."""
        return self.shown({"id": id, "secret": reveal_test_key(self.org, id=id)})


def _minted(view: KeyView, secret: str) -> Response:
    return Response(KeySerializer(view).data | {"secret": secret}, status=201)
