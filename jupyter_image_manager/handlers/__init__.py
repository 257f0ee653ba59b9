"""The REST API: thin handlers, and the table of their routes."""

from __future__ import annotations

from typing import Any

from .. import API_NAMESPACE

ID = "([^/]+)"

ROUTES: tuple[tuple[str, str], ...] = (
    ("projects", "projects:ProjectsHandler"),
    ("projects/{id}", "projects:OneProjectHandler"),
    ("projects/{id}/images", "projects:ProjectImagesHandler"),
    ("projects/{id}/active-image", "projects:ActiveImageHandler"),
    ("projects/{id}/builds", "builds:ProjectBuildsHandler"),
    ("projects/{id}/context", "builds:ContextHandler"),
    ("projects/{id}/kernels", "projects:ProjectKernelsHandler"),
    ("projects/{id}/usage", "projects:ProjectUsageHandler"),
    ("projects/{id}/storage", "communities:ProjectStorageHandler"),
    ("communities", "communities:CommunitiesHandler"),
    ("communities/{id}", "communities:OneCommunityHandler"),
    ("communities/{id}/agent", "communities:CommunityAgentHandler"),
    ("communities/{id}/test", "communities:CommunityTestHandler"),
    ("images/{id}", "images:OneImageHandler"),
    ("images/{id}/deletion", "images:DeletionHandler"),
    ("images/{id}/recipe", "images:RecipeHandler"),
    ("images/{id}/packages", "images:PackagesHandler"),
    ("images/{id}/layers", "images:LayersHandler"),
    ("images/{id}/diff", "images:DiffHandler"),
    ("images/{id}/check", "images:CheckHandler"),
    ("images/{id}/push", "images:PushHandler"),
    ("images/{id}/pull", "pulls:ImagePullHandler"),
    ("images/{id}/fix", "images:FixHandler"),
    ("images/{id}/storage", "storage:StoragePreviewHandler"),
    ("images/{id}/optimize", "storage:OptimizeHandler"),
    ("images/{id}/unoptimize", "storage:UnoptimizeHandler"),
    ("images/{id}/original", "storage:OriginalHandler"),
    ("usage", "storage:UsageHandler"),
    ("usage/history", "storage:UsageHistoryHandler"),
    ("prune", "storage:PruneHandler"),
    ("builds", "builds:BuildsHandler"),
    ("builds/{id}", "builds:OneBuildHandler"),
    ("builds/{id}/retry", "builds:RetryHandler"),
    ("builds/{id}/log", "builds:LogHandler"),
    ("pulls", "pulls:PullsHandler"),
    ("pulls/{id}", "pulls:OnePullHandler"),
    ("images/{id}/export", "portable:ExportHandler"),
    ("projects/{id}/load", "portable:LoadHandler"),
    ("projects/{id}/lock", "portable:LockHandler"),
    ("projects/{id}/sync", "portable:SyncHandler"),
    ("retirements", "retirements:RetirementsHandler"),
    ("retirements/preview", "retirements:RetirementPreviewHandler"),
    ("retirements/{id}", "retirements:OneRetirementHandler"),
    ("migrations", "migrations:MigrationsHandler"),
    ("migrations/preview", "migrations:MigrationPreviewHandler"),
    ("migrations/{id}", "migrations:OneMigrationHandler"),
    ("migrations/{id}/resume", "migrations:ResumeHandler"),
    ("migrations/{id}/undo", "migrations:UndoHandler"),
    ("templates", "system:TemplatesHandler"),
    ("templates/render", "system:RenderHandler"),
    ("templates/parse", "system:ParseHandler"),
    ("templates/environment", "system:EnvironmentHandler"),
    ("package-versions", "system:PackageVersionsHandler"),
    ("lint", "system:LintHandler"),
    ("system-images", "system:SystemImagesHandler"),
    ("kernels", "system:KernelsHandler"),
    ("doctor", "system:DoctorHandler"),
    ("status", "system:StatusHandler"),
    ("last-change", "system:LastChangeHandler"),
    ("spec.yaml", "system:SpecHandler"),
    ("notebook", "projects:NotebookHandler"),
)
"""Every route, as rest-api.yml names it, with its handler."""


def routes() -> list[tuple[str, type[Any]]]:
    """Return the patterns of all routes with their handlers, below the server's base URL."""
    from importlib import import_module

    found = []
    for route, place in ROUTES:
        module, name = place.split(":")
        pattern = route.replace(".", r"\.").replace("{id}", ID)
        found.append((f"/{API_NAMESPACE}/{pattern}", getattr(import_module(f"{__name__}.{module}"), name)))
    return found
