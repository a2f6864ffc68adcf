//! What a start of the application brings along: the address at which a browser came back from a provider, which the operating
//! system or a person hands over, or nothing. Whichever process takes it, the one that has the window acts on it.

use patchbay_api::wire::host::{Connected, HandedOver};
use patchbay_model::{Code, Problem, Secret};
use serde_json::{Value, json};
use url::Url;

use crate::desk::Desk;

/// Longest address that is looked at; those of providers are far shorter, and the engine reads no longer one.
const LONGEST: usize = 16 << 10;

/// What a start brought.
pub(crate) enum Handed {
    /// The window alone is wanted.
    Nothing,
    /// A web address. Until the store has looked at it, it may hold a code.
    Address(Secret),
    /// Something else, with the reason why it is of no use. What it was is nobody's business: it may be a secret all the same.
    Unusable(&'static str),
}

impl Handed {
    /// Looks at the arguments of a start, the program's own name first.
    pub(crate) fn of(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut arguments = arguments.into_iter().skip(1);
        let Some(first) = arguments.next() else { return Self::Nothing };
        let first = Secret::new(first);
        if arguments.next().is_some() {
            return Self::Unusable("Patchbay was started with several arguments and takes one: the address at which a browser came back from a provider. Nothing was changed.");
        }
        if first.expose().len() > LONGEST {
            return Self::Unusable("Patchbay was started with an address that is too long to be the answer of a provider. Nothing was changed.");
        }
        match Url::parse(first.expose().trim()) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Self::Address(first),
            Ok(_) => Self::Unusable(
                "Patchbay was started with an address that does not begin with https:// or http://. No provider's answer comes to such a one, and nothing was changed.",
            ),
            Err(_) => {
                Self::Unusable("Patchbay was started with something that is no web address. It takes the one at which a browser came back from a provider. Nothing was changed.")
            }
        }
    }
}

impl Desk {
    /// Acts on what a start brought: finishes the consent that it answers, or tells the window why there is none.
    pub(crate) async fn take_handed(&self, handed: Handed) {
        match handed {
            Handed::Nothing => {}
            Handed::Unusable(why) => self.tell_handed(Err(Problem::new(Code::InvalidRequest, why))),
            Handed::Address(address) => {
                *self.handed_address().lock().await = Some(address);
                self.bring_handed().await;
            }
        }
    }

    /// Brings the address that waits to the store, once one is open.
    pub(crate) async fn bring_handed(&self) {
        let store = self.opened().await;
        let mut waiting = self.handed_address().lock().await;
        let (store, address) = match (store, waiting.take()) {
            (_, None) => return,
            (Ok(store), Some(address)) => (store, address),
            (Err(_), address) => {
                *waiting = address;
                // One that is being opened is open in a moment, or this comes round again.
                if !self.is_opening().await {
                    self.tell_handed(Err(Problem::new(
                        Code::StoreMissing,
                        "Patchbay was started with an address that may answer a consent, and no store is open. Open the one in which that was begun; the address waits for it.",
                    )));
                }
                return;
            }
        };
        drop(waiting);
        let answered = store.result("connect.answer", json!({ "body": { "callback_url": address.expose() } })).await;
        if let Ok(session) = &answered {
            let id = session.get("id").and_then(Value::as_str);
            self.close_window(id).await;
            self.listen_no_more(id).await;
        }
        self.tell_handed(answered);
    }

    /// What became of the newest start that brought something, once there is one after this number. The window asks.
    pub(crate) async fn handed_over(&self, after: u32) -> Result<HandedOver, Problem> {
        let mut told = self.told_of_handed().subscribe();
        let told = told.wait_for(|told| told.number > after).await.map_err(Problem::internal)?;
        Ok(told.clone())
    }

    fn tell_handed(&self, outcome: Result<Value, Problem>) {
        if let Err(problem) = &outcome {
            tracing::info!(code = problem.code.as_str(), "what the application was started with finished no consent");
        }
        let (connected, problem) = match outcome {
            Ok(session) => (Some(connected(&session)), None),
            Err(problem) => (None, Some(self.view(problem, "app.handed"))),
        };
        self.told_of_handed().send_modify(|told| *told = HandedOver { number: told.number + 1, connected, problem });
    }
}

fn connected(session: &Value) -> Connected {
    let text = |name: &str| session.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Connected { account_id: text("account_id"), integration_id: text("integration_id") }
}

#[cfg(test)]
mod tests {
    use super::{Handed, LONGEST};

    fn of(arguments: &[&str]) -> Handed {
        Handed::of(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn one_web_address_is_taken_and_everything_else_is_told() {
        assert!(matches!(of(&["patchbay-desktop"]), Handed::Nothing) && matches!(of(&[]), Handed::Nothing));
        for good in ["http://127.0.0.1:8085/oauth/callback?state=s&code=c", " https://patchbay.example.com/oauth/callback?state=s "] {
            assert!(matches!(of(&["patchbay-desktop", good]), Handed::Address(address) if address.expose() == good), "{good}");
        }
        let long = format!("https://h/?code={}", "x".repeat(LONGEST));
        for bad in ["", "code=c&state=s", "/etc/passwd", "--version", "patchbay://oauth/callback?code=c", "file:///etc/passwd", "javascript:alert(1)", "\u{fffd}", &long] {
            assert!(matches!(of(&["patchbay-desktop", bad]), Handed::Unusable(_)), "{bad}");
        }
        let Handed::Unusable(why) = of(&["patchbay-desktop", "https://h/cb?state=s&code=secret", "more"]) else { panic!("two arguments are one too many") };
        assert!(!why.contains("secret"));
    }
}
