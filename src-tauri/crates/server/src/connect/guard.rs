//! Who may: links that are guessed are counted, a form is taken from the browser alone that it was shown in.

use axum::body::Body;
use axum::response::Response;
use patchbay_engine::Engine;
use patchbay_engine::connect_link::{self, OpenLink};
use patchbay_engine::consent::BrowserNonce;
use patchbay_engine::consent::hosted::{self, HostedConsent};
use patchbay_model::{Code, Origin, Problem, Secret};
use uuid::Uuid;

use crate::app::App;
use crate::gate::{self, Head};
use crate::serving::Visit;
use crate::start;

/// A visit without its body.
pub(super) struct Guest {
    pub(super) app: App,
    pub(super) head: Head,
    path: Vec<(String, String)>,
}

impl Guest {
    /// The visit, and what was sent with it.
    pub(super) fn of(visit: Visit) -> (Self, Body) {
        let Visit { app, head, path, body, .. } = visit;
        (Self { app, head, path }, body)
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// Opens the link of a visit. One that does not work counts against the address that tried it.
pub(super) async fn open(guest: &Guest) -> Result<OpenLink, Problem> {
    let Guest { app, head, .. } = guest;
    admit(app, head)?;
    let opened = connect_link::open(&app.engine, guest.part("link"), head.info(Origin::Web)).await;
    if opened.as_ref().is_err_and(|problem| problem.code == Code::LinkInvalid) {
        app.limiter.failed(head.caller.address, app.engine.now());
    }
    opened
}

/// The consent of a visit, where it is this browser's. One that is not counts against the address that tried it.
pub(super) async fn consent(guest: &Guest) -> Result<HostedConsent, Problem> {
    let Guest { app, head, .. } = guest;
    admit(app, head)?;
    let (browser, _) = start::browser(app, head);
    let seen = hosted::hosted(&app.engine, guest.part("session"), &browser, &head.info(Origin::Web)).await;
    if seen.as_ref().is_err_and(|problem| problem.code == Code::LinkInvalid) {
        app.limiter.failed(head.caller.address, app.engine.now());
    }
    seen
}

/// Proof that a form of what has this id was shown in the browser of a visit.
pub(super) fn token_of(guest: &Guest, of: Uuid) -> String {
    known(&guest.app, &guest.head).map(|browser| connect_link::form_token(&guest.app.engine, of, &browser)).unwrap_or_default()
}

/// Refuses an address that guessed too often lately.
pub(super) fn admit(app: &App, head: &Head) -> Result<(), Problem> {
    app.limiter.admit(head.caller.address, app.engine.now()).map_err(|problem| {
        let wait = problem.retry_after.unwrap_or_default();
        Problem::new(Code::RateLimited, format!("Too many addresses that do not work were tried from here. Try again in {wait} s.")).retry_after(wait)
    })
}

/// What a browser holds that was shown a page of a link. It opens nothing; it tells this browser from others.
pub(super) struct Browser {
    secret: Secret,
    fresh: bool,
}

impl Browser {
    /// That of a visit; a new one where it brings none.
    pub(super) fn of(app: &App, head: &Head) -> Self {
        match known(app, head) {
            Some(secret) => Self { secret, fresh: false },
            None => Self { secret: connect_link::browser_secret(&app.engine), fresh: true },
        }
    }

    /// Proof that a form was shown in this browser, for this link.
    pub(super) fn form_token(&self, engine: &Engine, open: &OpenLink) -> String {
        open.form_token(engine, &self.secret)
    }

    /// The same for what has this id.
    pub(super) fn token(&self, engine: &Engine, of: Uuid) -> String {
        connect_link::form_token(engine, of, &self.secret)
    }

    /// By what consents know it.
    pub(super) fn nonce(&self) -> Option<BrowserNonce> {
        BrowserNonce::parse(self.secret.expose())
    }

    /// Hands a new one out.
    pub(super) fn keep(&self, app: &App, head: &Head, response: &mut Response) -> Result<(), Problem> {
        if self.fresh { start::give(app, head, self.secret.expose(), response) } else { Ok(()) }
    }
}

/// What the browser of a visit holds already, if it has the shape of it.
pub(super) fn known(app: &App, head: &Head) -> Option<Secret> {
    start::known(app, head).map(|browser| Secret::new(browser.expose()))
}

/// Refuses a form that was not shown in this browser for this link: another site's page, or another person's form.
pub(super) fn written_here(app: &App, head: &Head, open: &OpenLink, token: &str) -> Result<(), Problem> {
    written_for(app, head, open.link.id.uuid(), token)
}

/// The same of a form of what has this id.
pub(super) fn written_for(app: &App, head: &Head, of: Uuid, token: &str) -> Result<(), Problem> {
    gate::same_origin(app, head)?;
    let shown = known(app, head).is_some_and(|browser| connect_link::form_proves(&app.engine, of, &browser, token));
    if shown {
        return Ok(());
    }
    Err(Problem::new(Code::PermissionDenied, "This form was not shown in this browser, or cookies are switched off. Open the link again and fill it in there."))
}
