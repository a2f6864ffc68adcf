"""A person in a browser, without the browser: signs in at the OpenID peer, or at a simulated provider, and allows (or refuses) what is asked."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def browse(start_url, login, password, allow=True):
    """Sets out at Patchbay's start address, follows the pages, goes where the provider sends back to, and answers that page."""
    go = _browser()
    authorize_url, page = go(start_url)
    assert authorize_url, f"the start address leads nowhere: {page[-300:]}"
    return go(consent(authorize_url, login, password, allow, go))[1]


def callback(start_url, login, password):
    """The address at which `browse` would end, without going there: the browser could not, or something else takes it."""
    go = _browser()
    location, page = go(start_url)
    # Either it is Patchbay's start address or the provider's own page.
    return consent(location if location and "/start" in urllib.parse.urlsplit(start_url).path else start_url, login, password, True, go)


def rehearse(start_url, login, password):
    """The same at a provider that the simulator plays, whose forms go to the address at which they are shown."""
    go = _browser()
    here, page = go(start_url)
    assert here, f"the start address leads nowhere: {page[-300:]}"
    location, _ = go(here)
    assert location is None, "the provider asks nobody to sign in"
    _, page = go(here, {"login": login, "password": password})
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    assert ticket, f"the provider does not ask: {re.sub('<[^>]+>', ' ', page)[-300:]}"
    location, page = go(here, {"ticket": ticket[1], "answer": "allow"})
    assert location, f"the provider sends nobody back: {re.sub('<[^>]+>', ' ', page)[-300:]}"
    return go(location)[1]


def _browser():
    browser = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def go(url, form=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            answer = browser.open(url, data)
        except urllib.error.HTTPError as error:
            answer = error
        return answer.headers.get("location"), answer.read().decode()

    return go


def consent(authorize_url, login, password, allow=True, go=None):
    """Follows the pages and answers the callback URL, which is not visited."""
    go = go or _browser()
    issuer = urllib.parse.urlsplit(authorize_url).netloc
    here = authorize_url
    for _ in range(20):
        location, page = go(here)
        if location is None:
            actions = re.findall(r'action="([^"]+)"', page)
            assert actions, f"the provider shows no form: {re.sub('<[^>]+>', ' ', page)[-300:]}"
            step = next(action for action in actions if action.endswith("/login")) if any(action.endswith("/login") for action in actions) else (
                next(action for action in actions if action.endswith("/allow" if allow else "/deny")))
            location, page = go(urllib.parse.urljoin(here, step), {"login": login, "password": password} if step.endswith("/login") else {})
            assert location, "the login or the password was refused"
        here = urllib.parse.urljoin(here, location)
        if urllib.parse.urlsplit(here).netloc != issuer:
            return here
    raise AssertionError(f"no end to the redirects: {here}")
