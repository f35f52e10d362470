"""Endpoints of accounts. What another organization owns is not found."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import people, queries
from accounts.actions.organizations import create_project, update_organization
from accounts.actions.tokens import issue_token, revoke_token
from accounts.models import Organization
from accounts.permissions import MATRIX
from accounts.rest.serializers import (
    AuditEventSerializer,
    IssuedTokenSerializer,
    MeSerializer,
    OrganizationSerializer,
    ProjectSerializer,
    TokenSerializer,
)
from accounts.rest.view import RestView
from kit.django.idempotency import idempotent
from kit.errors import ProblemError


class Organizations(RestView):
    """The organization this token belongs to: a list of one."""

    permission = "organization.read"
    serializer_class = OrganizationSerializer

    @extend_schema(operation_id="organizations_list", responses=OrganizationSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.listed(Organization.objects.filter(id=self.org))


class OneOrganization(RestView):
    permission = {"GET": "organization.read", "PATCH": "organization.write"}
    serializer_class = OrganizationSerializer

    @extend_schema(operation_id="organizations_retrieve")
    def get(self, request: Request, id: UUID) -> Response:
        return Response(OrganizationSerializer(queries.organization(self._own(id))).data)

    @extend_schema(operation_id="organizations_update")
    def patch(self, request: Request, id: UUID) -> Response:
        own = self._own(id)
        serializer = OrganizationSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        changed = update_organization(own, **serializer.validated_data, actor=self.actor, at=self.at)
        return Response(OrganizationSerializer(changed).data)

    def _own(self, id: UUID) -> UUID:
        if id != self.org:
            raise ProblemError("not_found")
        return id


class Projects(RestView):
    permission = {"GET": "projects.read", "POST": "projects.write"}
    serializer_class = ProjectSerializer

    @extend_schema(operation_id="projects_list", responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.listed(queries.projects(self.org))

    @extend_schema(operation_id="projects_create", responses={201: ProjectSerializer})
    @idempotent()
    def post(self, request: Request) -> Response:
        project = create_project(self.org, **self.taken(), actor=self.actor, at=self.at)
        return Response(ProjectSerializer(project).data, status=201)


class Tokens(RestView):
    permission = {"GET": "tokens.read", "POST": "tokens.write"}
    serializer_class = TokenSerializer

    @extend_schema(operation_id="tokens_list", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.listed(queries.tokens(self.org))

    @extend_schema(operation_id="tokens_create", responses={201: IssuedTokenSerializer})
    @idempotent(secrets=("secret",))
    def post(self, request: Request) -> Response:
        token, secret = issue_token(
            self.org, user_id=self.principal.user_id, **self.taken(), actor=self.actor, at=self.at
        )
        return Response({**TokenSerializer(token).data, "secret": secret}, status=201)


class RevokeToken(RestView):
    """A member revokes their own tokens; who manages members, anybody's."""

    permission = "tokens.write"
    serializer_class = TokenSerializer

    @extend_schema(operation_id="tokens_revoke", request=None, responses=TokenSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        foreign = queries.token(self.org, id=id).user_id != self.principal.user_id
        if foreign and "members.write" not in MATRIX[self.principal.role]:
            raise ProblemError("permission_denied", "Only those who manage members may revoke another's token.")
        token = revoke_token(self.org, id=id, actor=self.actor, at=self.at)
        return Response(TokenSerializer(token).data)


class AuditEvents(RestView):
    permission = "audit.read"
    serializer_class = AuditEventSerializer

    @extend_schema(operation_id="audit_events_list", responses=AuditEventSerializer(many=True))
    def get(self, request: Request) -> Response:
        return self.listed(queries.audit_events(self.org))


class Me(RestView):
    """Whom this token speaks for, and what it may do."""

    permission = None
    serializer_class = MeSerializer

    @extend_schema(operation_id="me")
    def get(self, request: Request) -> Response:
        principal = self.principal
        shown = {
            "user": people.person(principal.user_id),
            "organization": queries.organization(self.org),
            "role": principal.role,
            "permissions": sorted(MATRIX[principal.role]),
            "token_id": principal.token_id,
        }
        return Response(MeSerializer(shown).data)
