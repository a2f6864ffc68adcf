//! Receipts of consents: who agreed to what, for whom, until when, and how it is taken back. Whoever agreed gets at the receipt by a link,
//! without signing in, and can take the consent back there, whatever became of whoever made the link.

mod link;
mod list;
mod open;
mod withdraw;

pub use link::{link, of_session};
pub use list::list;
pub use open::{OpenReceipt, open};
pub use withdraw::withdraw;

use patchbay_model::end_user::{ConsentReceipt, EndUser};
use patchbay_providers::{Provider, Server};

/// Something that was agreed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// The scope, as the provider calls it.
    pub scope: String,
    /// What it lets do, where that is known.
    pub words: Option<String>,
}

/// A receipt with what it means.
#[derive(Clone, Debug)]
pub struct ShownReceipt {
    /// The receipt.
    pub receipt: ConsentReceipt,
    /// What was agreed to.
    pub granted: Vec<Granted>,
    /// Who agreed, where that is known.
    pub person: Option<EndUser>,
}

/// Scopes in the manifest's words.
pub(crate) fn in_words(server: Option<&Server>, scopes: &[String]) -> Vec<Granted> {
    let words = |scope: &str| server.and_then(|server| server.scopes.words.get(scope)).cloned();
    scopes.iter().map(|scope| Granted { scope: scope.clone(), words: words(scope) }).collect()
}

/// The server at which a person consents to a provider, by `type` of the credential, else the first that there is.
pub(crate) fn server_of<'a>(provider: &'a Provider, word: Option<&str>) -> Option<&'a Server> {
    word.and_then(|word| provider.consent(word)).or_else(|| provider.manifest().credential.iter().find_map(|way| provider.consent(&way.word)))
}
