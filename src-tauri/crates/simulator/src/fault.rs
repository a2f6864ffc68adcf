//! Faults of providers, on order.

use patchbay_model::ProviderId;
use serde::Deserialize;

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Access tokens that were given out end now.
    ExpireAccess,
    /// Refresh tokens that were given out end now.
    ExpireRefresh,
    /// Somebody else used the refresh tokens that were given out, and kept what came of it: whoever uses them now is the second.
    ReuseRefresh,
    /// Every grant ends now, as if the persons had taken it back at the provider.
    RevokeGrant,
    /// The simulator's clock goes ahead.
    Advance {
        /// How far.
        seconds: u64,
    },
    /// The provider answers 503 for a time.
    Outage {
        /// How long, by the simulator's clock.
        seconds: u64,
    },
    /// The connection ends before anything is done.
    LoseBefore,
    /// Everything is done, then the connection ends without an answer.
    LoseAfter,
    /// This status, with nothing done.
    Status {
        /// The status.
        code: u16,
        /// Seconds in `Retry-After`, or in the header that the manifest names.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The answer takes its time.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Everything is done, and no answer ever comes.
    Stall,
    /// The answer has no end.
    Endless,
    /// Everything is done, and the answer is empty.
    Empty,
    /// An HTML page in place of an answer, with 200.
    Html,
    /// An error in an answer with 200.
    Ok200Error,
    /// The answer breaks off in the middle.
    Truncated,
    /// Tokens are numbers and ends are words.
    WrongType,
    /// An answer without a refresh token.
    NoRefreshToken,
    /// An answer without an end.
    NoExpiry,
    /// An answer that grants no scope.
    ScopeLess,
    /// The person says no.
    Deny,
    /// The authorization endpoint answers with this error.
    AuthorizeError {
        /// Its word.
        code: String,
    },
    /// The answer carries another state.
    WrongState,
    /// The answer names another issuer.
    WrongIss,
    /// The answer names none.
    NoIss,
    /// The answer names the code twice.
    DoubleParam,
    /// The answer goes to another address.
    RedirectElsewhere,
    /// The page refuses to be shown in a window of an application.
    RefuseWindow,
    /// From now on a person has access to so many places, of which one is chosen.
    Places {
        /// How many.
        count: u32,
    },
}

/// Where a fault of the wire is met.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At token endpoints.
    #[default]
    Token,
    /// At the API.
    Api,
    /// At both.
    Any,
}

/// A fault with when and how often.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct FaultOrder {
    /// Which.
    #[serde(flatten)]
    pub fault: Fault,
    /// At which provider; without it, at every one.
    #[serde(default)]
    pub provider: Option<ProviderId>,
    /// How often.
    #[serde(default = "once")]
    pub times: u32,
    /// Requests that go well before it.
    #[serde(default)]
    pub after: u32,
    /// What ends tokens, or has them used by somebody else, does that to those of this name in their sets alone.
    #[serde(default)]
    pub token: Option<String>,
    /// Where, if it is one of the wire.
    #[serde(default)]
    pub at: Place,
}

const fn once() -> u32 {
    1
}

impl FaultOrder {
    /// Once, at the next token request of anybody.
    pub const fn once(fault: Fault) -> Self {
        Self { fault, provider: None, times: 1, after: 0, token: None, at: Place::Token }
    }

    /// The same at the API.
    #[must_use]
    pub const fn at_api(mut self) -> Self {
        self.at = Place::Api;
        self
    }
}

/// Where a request is in its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stage {
    Token,
    Api,
    Page,
}

pub(crate) struct ActiveFault {
    pub(crate) order: FaultOrder,
}

impl Fault {
    /// Whether it is one of the page that a person sees.
    const fn of_page(&self) -> bool {
        matches!(
            self,
            Self::Deny | Self::AuthorizeError { .. } | Self::WrongState | Self::WrongIss | Self::NoIss | Self::DoubleParam | Self::RedirectElsewhere | Self::RefuseWindow
        )
    }

    /// Whether it changes what a token answer says.
    pub(crate) const fn of_grant(&self) -> bool {
        matches!(self, Self::Ok200Error | Self::WrongType | Self::NoRefreshToken | Self::NoExpiry | Self::ScopeLess)
    }
}

/// Takes the fault that is due at this stage.
pub(crate) fn take(faults: &mut Vec<ActiveFault>, provider: &ProviderId, stage: Stage, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
    let fits = |order: &FaultOrder| {
        let place = if order.fault.of_page() {
            stage == Stage::Page
        } else if order.fault.of_grant() {
            stage == Stage::Token
        } else {
            matches!((order.at, stage), (Place::Token | Place::Any, Stage::Token) | (Place::Api | Place::Any, Stage::Api))
        };
        place && order.provider.as_ref().is_none_or(|known| known == provider) && wanted(&order.fault)
    };
    let at = faults.iter().position(|fault| fits(&fault.order))?;
    let order = &mut faults[at].order;
    if order.after > 0 {
        order.after -= 1;
        return None;
    }
    order.times = order.times.saturating_sub(1);
    let fault = order.fault.clone();
    if order.times == 0 {
        faults.remove(at);
    }
    Some(fault)
}
