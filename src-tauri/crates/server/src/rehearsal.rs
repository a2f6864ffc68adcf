//! Rehearsals: a provider is played on this computer, and a consent, calls and renewals are tried on it with the code that runs in earnest. Each has a
//! store of its own in a temporary folder, a clock that can be moved, and ends by itself. Nothing of the store in use takes part but its catalog.

mod acts;
mod script;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use patchbay_api::wire::rehearsal::{RehearsalId, StartRehearsal, StepRehearsal};
use patchbay_model::{Code, Problem};
use patchbay_providers::Catalog;
use patchbay_vault::system_context;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;

use self::acts::Rehearsed;

/// Most rehearsals of a process at once: each has an engine, a store and a listener.
const MOST: usize = 4;
/// How long one lives.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// The rehearsals of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Rehearsals {
    running: Arc<Mutex<BTreeMap<String, Arc<Rehearsed>>>>,
}

impl Rehearsals {
    /// Whether a command is one of a rehearsal.
    pub fn handles(command: &str) -> bool {
        matches!(command, "rehearse.start" | "rehearse.step" | "rehearse.state" | "rehearse.end")
    }

    /// Runs a command. `owner` is who asks: nobody else sees what one has started. The catalog is the one of the owner's organization.
    ///
    /// # Errors
    /// `not_found` for another's rehearsal or one that has ended, `rate_limited` when there are too many, `invalid_body`, and trouble with the
    /// rehearsal's own store. What goes wrong within a rehearsal is told in its steps.
    pub async fn run(&self, owner: &str, catalog: &Catalog, command: &str, params: Value) -> Result<Value, Problem> {
        match command {
            "rehearse.start" => self.start(owner, catalog, read(params)?).await,
            "rehearse.step" => {
                let step: StepRehearsal = read(params)?;
                let rehearsed = self.of(owner, &step.id).await?;
                rehearsed.act(step.action, step.fault).await?;
                json(&rehearsed.view().await?)
            }
            "rehearse.state" => {
                let RehearsalId { id } = read(params)?;
                json(&self.of(owner, &id).await?.view().await?)
            }
            "rehearse.end" => {
                let RehearsalId { id } = read(params)?;
                self.of(owner, &id).await?;
                end(Arc::downgrade(&self.running), id).await;
                Ok(Value::Null)
            }
            _ => Err(Problem::new(Code::InvalidRequest, format!("There is no command `{}`.", command.chars().take(80).collect::<String>()))),
        }
    }

    /// Ends all of them. Call it before the program ends, since each keeps a folder.
    pub async fn end_all(&self) {
        let all = std::mem::take(&mut *self.running.lock().await);
        for rehearsed in all.into_values() {
            rehearsed.close().await;
        }
    }

    async fn start(&self, owner: &str, catalog: &Catalog, new: StartRehearsal) -> Result<Value, Problem> {
        let provider = catalog.get(&new.provider).ok_or_else(|| Problem::not_found("provider", &new.provider))?;
        let full = || Problem::new(Code::RateLimited, format!("{MOST} rehearsals are under way here already. End one, or wait: each ends by itself after half an hour."));
        // Looked at before the work and again after it: others may have started meanwhile.
        if self.running.lock().await.len() >= MOST {
            return Err(full());
        }
        let id = system_context().new_uuid().simple().to_string();
        let rehearsed = Arc::new(Rehearsed::new(id.clone(), owner.to_owned(), catalog, provider, new.credential.as_deref(), LIFE).await?);
        let mut running = self.running.lock().await;
        if running.len() >= MOST {
            drop(running);
            rehearsed.close().await;
            return Err(full());
        }
        running.insert(id.clone(), rehearsed.clone());
        drop(running);
        let all = Arc::downgrade(&self.running);
        tokio::spawn(async move {
            tokio::time::sleep(LIFE).await;
            end(all, id).await;
        });
        json(&rehearsed.view().await?)
    }

    async fn of(&self, owner: &str, id: &str) -> Result<Arc<Rehearsed>, Problem> {
        let running = self.running.lock().await;
        running.get(id).filter(|rehearsed| rehearsed.owner() == owner).cloned().ok_or_else(|| Problem::not_found("rehearsal", id))
    }
}

async fn end(all: Weak<Mutex<BTreeMap<String, Arc<Rehearsed>>>>, id: String) {
    let Some(all) = all.upgrade() else { return };
    let ended = all.lock().await.remove(&id);
    if let Some(rehearsed) = ended {
        rehearsed.close().await;
    }
}

fn read<T: serde::de::DeserializeOwned>(params: Value) -> Result<T, Problem> {
    patchbay_api::request::from_value(params)
}

fn json<T: Serialize>(value: &T) -> Result<Value, Problem> {
    serde_json::to_value(value).map_err(Problem::internal)
}
