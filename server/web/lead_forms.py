"""The web form of a company on other people's pages: shown in a frame, sent once, thanked for."""

from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from server.auth.access import public
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.leads import forms
from server.leads.rule_models import LeadForm
from server.leads.values import UTM, utm_of
from server.web.forms import Sent
from server.web.pages import POLICY, attempt, templates

router = APIRouter(prefix="/f", include_in_schema=False)


@router.get("/{key}", dependencies=[public("visitors of other people's pages fill it in")])
def show_form(key: str, request: Request, session: Db) -> Response:
    """The form, for a frame on somebody's page; what the page's address says of a campaign is kept."""
    form = forms.by_key(session, key)
    page = request.headers.get("referer")
    utm = utm_of(page) | {name: request.query_params[name][:300] for name in UTM if name in request.query_params}
    return form_page(form, {"page": page or "", **utm})


@router.post("/{key}", dependencies=[public("visitors of other people's pages fill it in")])
def send_form(key: str, request: Request, session: Db, sent: Sent) -> Response:
    """Take the answers in. A form of plain HTML that brings no token is shown once more, filled in."""
    form = forms.by_key(session, key)
    values = {name: str(value) for name, value in sent.items() if isinstance(value, str)}
    what = forms.Sent(
        values,
        values.get("token", ""),
        agreed=bool(values.get("consent")),
        trap=values.get(forms.TRAP, ""),
        address=request.client.host if request.client else "",
        page=values.get("page") or request.headers.get("referer"),
        utm={name: values[name] for name in UTM if values.get(name)} or None,
    )
    try:
        with attempt(session):
            forms.send(session, form, what)
    except WaymarkError as error:
        return form_page(form, values, error)
    return page_of(form, "leads/thanks.html")


def form_page(form: LeadForm, values: dict[str, str], error: WaymarkError | None = None) -> Response:
    """The form with what was filled in, and what was refused."""
    return page_of(
        form,
        "leads/form.html",
        status=int(error.status) if error else 200,
        values=values,
        error=error,
        token=forms.token_of(form),
        labels=forms.ASKABLE,
        trap=forms.TRAP,
        hidden=("page", *UTM),
    )


def page_of(form: LeadForm, template: str, *, status: int = 200, **values: object) -> Response:
    """A page in the form's language that the form's pages, and only they, may show in a frame."""
    text = templates(form.language).get_template(template).render(scope=None, form=form, **values)
    frames = " ".join(["'self'", *form.origins]) if form.origins else "*"
    return Response(
        text,
        status,
        media_type="text/html",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", f"frame-ancestors {frames}"),
        },
    )


def snippets(form: LeadForm, address: str) -> dict[str, str]:
    """What somebody pastes into their page: a frame, or plain HTML."""
    base = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
    asked = "\n".join(
        f"  <label>{forms.ASKABLE[one['name']]} "
        + (
            f'<textarea name="{one["name"]}"></textarea>'
            if one["name"] == "message"
            else f'<input name="{one["name"]}"{" required" if one["is_required"] else ""}>'
        )
        + "</label>"
        for one in form.fields
    )
    frame = (
        f'<iframe src="{base}/f/{form.key}" title="{form.title}" width="100%" height="720"'
        ' style="border:0" referrerpolicy="no-referrer-when-downgrade"></iframe>'
    )
    plain = f'<form action="{base}/f/{form.key}" method="post">\n{asked}\n  <button>Send</button>\n</form>'
    return {"frame": frame, "plain": plain}
