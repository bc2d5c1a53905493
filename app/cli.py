"""baton: the command line. Names every command with its function, which is imported when the command is run."""

from __future__ import annotations

import os
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from app.lazy_commands import Group, group_class
from tasks.wiring import secret_files

_AGREEMENT = {
    "new": "app.commands.agreement.writing:new",
    "schema": "app.commands.agreement.writing:schema",
    "check": "app.commands.agreement.writing:check",
    "show": "app.commands.agreement.reading:show",
    "list": "app.commands.agreement.versions:list_versions",
    "diff": "app.commands.agreement.comparing:diff",
    "explain": "app.commands.agreement.explaining:explain_lead",
    "due": "app.commands.agreement.due:due",
    "backtest": "app.commands.agreement.trying:backtest",
    "send-for-signature": "app.commands.agreement.signing:send_for_signature",
    "sign": "app.commands.agreement.signing:sign",
    "withdraw-signature": "app.commands.agreement.signing:withdraw_signature",
    "publish": "app.commands.agreement.publishing:publish",
    "preview": "app.commands.agreement.publishing:preview",
    "deploy": "app.commands.agreement.force:deploy_version",
}
_LEADS = {
    "erase": "app.commands.erasing:erase",
    "import": "app.commands.leads:import_file",
    "export": "app.commands.leads:export_file",
    "release": "app.commands.leads:release",
    "unstick": "app.commands.leads:unstick",
    "list": "app.commands.lead_list:list_leads",
    "show": "app.commands.one_lead:show",
    "twins": "app.commands.merging:twins",
    "merge": "app.commands.merging:merge",
    "unmerge": "app.commands.merging:unmerge",
    "apart": "app.commands.merging:apart",
}
_MESSAGES = {
    "list": "app.commands.message_texts:list_messages",
    "preview": "app.commands.message_texts:preview",
    "check": "app.commands.message_texts:check",
    "count": "app.commands.attention:count",
    "test": "app.commands.channel_trial:send_test",
}
_DISPUTES = {
    "list": "app.commands.disputes:list_disputes",
    "raise": "app.commands.disputes:raise_one",
    "decide": "app.commands.disputes:decide",
    "report": "app.commands.disputes:report",
}
_INTAKE = {
    "sources": "app.commands.intake:sources",
    "try": "app.commands.intake:try_map",
    "failed": "app.commands.intake:failed",
    "replay": "app.commands.intake:replay",
    "drop": "app.commands.intake:drop",
}
_CRM: dict[str, str | Group] = {
    "show": "app.commands.crm:show",
    "check": "app.commands.crm_fit:check",
    "setup": "app.commands.crm_fit:setup",
    "accounts": Group("Accounts of the local CRM.", {"import": "app.commands.crm:import_accounts"}),
    "serve": "app.commands.crm:serve",
}
_KEYS = {
    "create": "app.commands.keys:create",
    "revoke": "app.commands.keys:revoke",
    "list": "app.commands.keys:show",
    "rotate": "app.commands.keys:rotate",
}
_TRAIL = {
    "show": "app.commands.trail:show",
    "export": "app.commands.trail:export",
    "accept-restore": "app.commands.trail:accept_restore",
}
#: The whole tree in the order of the help pages; the help of a command is the docstring of its function.
COMMANDS: dict[str, str | Group] = {
    "demo": "app.commands.demo:demo",
    "up": "app.commands.parts:up",
    "worker": "app.commands.parts:worker",
    "web": "app.commands.parts:web",
    "verify": "app.commands.verify:verify",
    "alarms": "app.commands.alarms:show",
    "audit": "app.commands.auditing:audit",
    "review": Group(
        "Reviews of what marketing and sales kept: make one, show scheduled ones, keep what was decided.",
        {
            "list": "app.commands.kept_reviews:listed",
            "show": "app.commands.kept_reviews:show",
            "decide": "app.commands.reviewing:decide",
            "decisions": "app.commands.reviewing:decisions",
            "done": "app.commands.reviewing:done",
        },
        alone="app.commands.reviewing:review",
    ),
    "shadow": "app.commands.shadowing:shadow",
    "leads": Group("Leads: take in, look at, write out, erase.", _LEADS),
    "agreement": Group("The contract between marketing and sales, in versions.", _AGREEMENT),
    "roster": Group(
        "The people and teams.",
        {
            "check": "app.commands.people:check",
            "load": "app.commands.people:load",
            "show": "app.commands.people:show",
            "away": "app.commands.absences:away",
            "feeds": "app.commands.feeds:show",
            "next": "app.commands.turns:upcoming",
            "shares": "app.commands.turns:shares",
        },
    ),
    "suppress": Group(
        "The do-not-contact list: people whom nobody may contact.",
        {
            "add": "app.commands.suppress:add",
            "remove": "app.commands.suppress:remove",
            "list": "app.commands.suppress:list_entries",
            "import": "app.commands.suppress:import_file",
        },
    ),
    "messages": Group("Messages: list, look at, check, count, try a channel out.", _MESSAGES),
    "disputes": Group("Disputes: marketing objects to a rejection, the manager decides.", _DISPUTES),
    "intake": Group("Intake doors: webhooks and forms of other systems, each by a map.", _INTAKE),
    "crm": Group("The CRM: what it says, and the local one for trials.", _CRM),
    "keys": Group("Keys for programs, and the keys that sign links.", _KEYS),
    "retention": Group(
        "How long things are kept, as agreed.", {"show": "app.commands.retention:show", "run": "app.commands.retention:run"}
    ),
    "nurture": Group(
        "Whether nurtured leads are in their track at the marketing automation.",
        {
            "list": "app.commands.nurture:list_open",
            "confirm": "app.commands.nurture:confirm",
            "retry": "app.commands.nurture:retry",
        },
    ),
    "bounces": Group(
        "Returned mail, complaints, and other mail to the return path.",
        {"read": "app.commands.bounces:read", "list": "app.commands.bounces:show", "settle": "app.commands.bounces:settle"},
    ),
    "links": Group(
        "Links to the overview of open leads, for people of marketing and for managers.",
        {"marketing": "app.commands.links:marketing", "manager": "app.commands.links:manager"},
    ),
    "devices": Group(
        "Browsers that Baton knows as a person's.",
        {"list": "app.commands.devices:show", "revoke": "app.commands.devices:revoke"},
    ),
    "trail": Group("The trail: who did what, and when.", _TRAIL),
}

app = typer.Typer(
    name="baton",
    cls=group_class(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Carries out the agreement between marketing and sales. Each lead is a Prefect flow.\n\n"
    "Exit codes: 0 done, 1 findings or refused, 2 usage or unreadable input, 3 partly done, 4 a service is away.",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"baton {installed_version('baton')}")
        raise typer.Exit()


@app.callback()
def begin(
    version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Runs before every command."""


def main() -> None:
    """Run the command line. Every part and every command makes files that only their owner can read."""
    os.umask(secret_files.UMASK)
    app()


if __name__ == "__main__":
    main()
