//! The steps of an operation: an adapter is a state machine that the engine drives.

use std::collections::BTreeMap;

use patchbay_model::{Context, Problem};
use serde_json::{Map, Value};
use url::Url;

use crate::exchange::{ProviderRequest, ProviderResponse};

/// What to do with an answer: the next step, or the trouble.
pub type Continue<I, T> = Box<dyn FnOnce(I) -> Result<Step<T>, Problem> + Send>;

/// The next thing to do for an operation that ends in a `T`.
pub enum Step<T> {
    /// Send a request; any answer, whatever its status, goes to `then`. A failure to get an answer is the engine's to report.
    Send {
        /// What to send.
        request: Box<ProviderRequest>,
        /// Takes the answer.
        then: Continue<ProviderResponse, T>,
    },
    /// Do something with the integration's own documents (providers that live inside Patchbay).
    Local {
        /// What to do.
        op: LocalOp,
        /// Takes the answer.
        then: Continue<LocalAnswer, T>,
    },
    /// Tell the caller something beside the result (`messages.problems`, synqly-wire.md section 3), and go on with `next`.
    Notice {
        /// What to tell.
        problem: Box<Problem>,
        /// What to do then.
        next: Box<Step<T>>,
    },
    /// The end.
    Done(T),
}

impl<T: 'static> Step<T> {
    /// A step that sends.
    pub fn send(request: ProviderRequest, then: impl FnOnce(ProviderResponse) -> Result<Self, Problem> + Send + 'static) -> Self {
        Self::Send { request: Box::new(request), then: Box::new(then) }
    }

    /// This step, after telling the caller something for each problem.
    #[must_use]
    pub fn noting(self, problems: impl IntoIterator<Item = Problem>) -> Self {
        problems.into_iter().fold(self, |next, problem| Self::Notice { problem: Box::new(problem), next: Box::new(next) })
    }

    /// A step on local documents.
    pub fn local(op: LocalOp, then: impl FnOnce(LocalAnswer) -> Result<Self, Problem> + Send + 'static) -> Self {
        Self::Local { op, then: Box::new(then) }
    }
}

/// Something done with documents that belong to one integration. The engine binds organization and integration.
#[derive(Clone, PartialEq, Debug)]
pub enum LocalOp {
    /// Reads one.
    Get {
        /// Which collection.
        collection: &'static str,
        /// Which document.
        id: String,
    },
    /// Reads some, by id upwards.
    List {
        /// Which collection.
        collection: &'static str,
        /// Only ids greater than this.
        after: Option<String>,
        /// Only ids that begin with this.
        prefix: Option<String>,
        /// Most documents.
        limit: u32,
    },
    /// Makes or replaces one.
    Put {
        /// Which collection.
        collection: &'static str,
        /// Which document.
        id: String,
        /// Its content.
        body: Value,
    },
    /// Removes one.
    Remove {
        /// Which collection.
        collection: &'static str,
        /// Which document.
        id: String,
    },
}

/// What came of a [`LocalOp`].
#[derive(Clone, PartialEq, Debug)]
pub enum LocalAnswer {
    /// Of `Get`.
    Document(Option<Value>),
    /// Of `List`: ids and contents, by id upwards.
    Documents(Vec<(String, Value)>),
    /// Of `Put`.
    Stored,
    /// Of `Remove`: whether it was there.
    Removed(bool),
}

/// What an adapter knows of the integration that it works for.
#[derive(Clone)]
pub struct AdapterContext {
    /// `provider_config` without `type` and `credential`; it has passed the provider's schema.
    pub config: Map<String, Value>,
    /// Where the provider's API is, as [`crate::Provider::locate`] found it. Providers without a network have none.
    pub base_url: Option<Url>,
    /// `type` of the credential in the configuration, inline or `_id`.
    pub credential: Option<String>,
    /// What answers and callbacks brought beside the tokens, without what is secret.
    pub kept: BTreeMap<String, String>,
    /// What the lookup of the address took.
    pub located: BTreeMap<String, String>,
    /// Clock and randomness, for providers that live inside Patchbay.
    pub context: Context,
}

/// Whom a provider says the credential belongs to: the outcome of a probe.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// The provider's id of the user.
    pub id: Option<String>,
    /// A name for people: full name, login or address.
    pub name: Option<String>,
    /// E-mail address, where the provider tells it.
    pub email: Option<String>,
}
