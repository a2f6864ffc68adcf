//! The store that is open: one of this machine's, for the holder of its key, or a server, for the holder of a token. Commands of
//! the contract go to either.

use std::sync::Arc;
use std::time::Duration;

use patchbay_api::wire::host::{Host, RecentStore, SessionInfo, SessionMember, StoreInfo};
use patchbay_engine::{CallerInfo, Engine, Grant, ManagementGrant, audit, changes, member, organization};
use patchbay_model::change::{Change, ChangeKind};
use patchbay_model::{Code, Origin, Problem, ProviderId};
use patchbay_providers::{Catalog, UserManifest};
use patchbay_remote::{Connection, Event, RemoteStore};
use serde_json::{Value, json};
use tauri::ipc::Channel;
use tokio::sync::broadcast::error::RecvError;

/// How long a store that does not answer is left alone.
const RETRY: Duration = Duration::from_millis(500);

/// Most changes sent at once; behind that, the window reads everything anew.
const MOST_CHANGES: u32 = 500;

/// The store that is open.
pub(crate) struct OpenedStore {
    /// Where it is, without secrets.
    pub(crate) url: String,
    pub(crate) opened: Opened,
}

/// What is open.
pub(crate) enum Opened {
    /// A file or a database, with the grant of the holder of its key.
    Local { engine: Engine, grant: Box<ManagementGrant> },
    /// A server.
    Remote(RemoteStore),
}

impl OpenedStore {
    /// Runs a command of the contract.
    ///
    /// # Errors
    /// Problems of the command; those of the connection, at a server.
    pub(crate) async fn run(&self, command: &str, params: Value) -> Result<Value, Problem> {
        match &self.opened {
            Opened::Local { engine, grant } => {
                let grant = called(grant, command, &params);
                let answer = patchbay_api::rpc::dispatch(engine, &grant, command, params).await;
                if let Err(problem) = &answer {
                    audit::refused(engine, Some(&Grant::Management(grant.clone())), command, grant.caller(), problem).await;
                }
                answer
            }
            Opened::Remote(remote) => remote.call(command, params).await,
        }
    }

    /// Runs a command and gives the `result` of its envelope.
    ///
    /// # Errors
    /// Those of [`Self::run`].
    pub(crate) async fn result(&self, command: &str, params: Value) -> Result<Value, Problem> {
        let mut envelope = self.run(command, params).await?;
        Ok(envelope.get_mut("result").map(Value::take).unwrap_or_default())
    }

    /// Who is here, in which organization, and what the person said of the store.
    ///
    /// # Errors
    /// Problems of the store, or of the connection.
    pub(crate) async fn session_info(&self, known: RecentStore) -> Result<Value, Problem> {
        let mut store = StoreInfo { label: known.label, kind: known.kind, url: Some(known.url), mark: known.mark, offline_since: None };
        match &self.opened {
            Opened::Local { engine, grant } => {
                let organization = organization::get(engine, grant).await?;
                let who = member::get(engine, grant, &grant.member().to_string()).await?;
                let info = SessionInfo {
                    host: Host::Desktop,
                    store,
                    sample: organization.sample,
                    organization: organization.into(),
                    member: SessionMember { id: who.id, name: who.name, fullname: who.fullname },
                    permission_set: grant.permission_set(),
                    read_only: engine.read_only(),
                    public_url: None,
                    link_redirect_uri: None,
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    token_id: None,
                    expires: None,
                };
                serde_json::to_value(info).map_err(Problem::internal)
            }
            Opened::Remote(remote) => {
                let mut info = remote.call("session.info", json!({})).await?;
                if let Connection::Offline { since, .. } = &*remote.connection().borrow() {
                    store.offline_since = Some(*since);
                }
                // What the server says of itself, with what only this side knows.
                if let Some(members) = info.as_object_mut() {
                    if store.offline_since.is_some() {
                        members.insert("read_only".to_owned(), Value::Bool(true));
                    }
                    members.insert("host".to_owned(), serde_json::to_value(Host::Desktop).map_err(Problem::internal)?);
                    members.insert("store".to_owned(), serde_json::to_value(store).map_err(Problem::internal)?);
                    members.insert("version".to_owned(), Value::String(env!("CARGO_PKG_VERSION").to_owned()));
                }
                Ok(info)
            }
        }
    }

    /// Passes changes on to the window until it goes (true) or the store cannot be asked for a while (false).
    pub(crate) async fn pass_on(&self, channel: &Channel<Change>) -> bool {
        match &self.opened {
            Opened::Local { engine, grant } => pass_on(engine, grant, channel).await,
            Opened::Remote(remote) => pass_on_from(remote, channel).await,
        }
    }

    /// Writes out what is kept in memory, and closes.
    pub(crate) async fn close(&self) {
        match &self.opened {
            Opened::Local { engine, .. } => engine.shutdown().await,
            Opened::Remote(remote) => remote.close().await,
        }
    }

    /// The engine of a store that is opened here.
    ///
    /// # Errors
    /// `operation_unsupported` at a server.
    pub(crate) fn engine(&self) -> Result<&Engine, Problem> {
        match &self.opened {
            Opened::Local { engine, .. } => Ok(engine),
            Opened::Remote(_) => {
                Err(Problem::new(Code::OperationUnsupported, format!("{} is a server, whose store is looked after where it is: by `patchbay store` on its machine.", self.url)))
            }
        }
    }

    /// The catalog by which the store's organization goes. A server tells its own manifests; what this program knows by itself it brings along.
    ///
    /// # Errors
    /// Problems of the store, or of the connection.
    pub(crate) async fn catalog(&self) -> Result<Arc<Catalog>, Problem> {
        match &self.opened {
            Opened::Local { engine, grant } => engine.catalog_for(grant).await,
            Opened::Remote(_) => {
                let builtin = Catalog::builtin().map_err(|error| Problem::internal(format!("the catalog of providers is broken: {error}")))?;
                let listed = self.result("manifests.list", json!({})).await?;
                let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let active = listed.as_array().into_iter().flatten().filter(|row| text(row, "status") == "active");
                let own = active.filter_map(|row| {
                    let given = UserManifest { id: ProviderId::parse(&text(row, "provider")).ok()?, version: text(row, "version"), text: text(row, "manifest") };
                    // One that this version cannot read is not rehearsed.
                    builtin.own(&given).ok()
                });
                let own = own.collect();
                Ok(Arc::new(builtin.laid_over(own)))
            }
        }
    }

    /// The server, if it is one.
    pub(crate) fn remote(&self) -> Option<&RemoteStore> {
        match &self.opened {
            Opened::Remote(remote) => Some(remote),
            Opened::Local { .. } => None,
        }
    }
}

/// The holder's grant, for one command.
fn called(grant: &ManagementGrant, command: &str, params: &Value) -> ManagementGrant {
    grant.with_caller(CallerInfo { path: command.to_owned(), body: params.get("body").cloned(), ..CallerInfo::local(Origin::Desktop) })
}

async fn pass_on(engine: &Engine, grant: &ManagementGrant, channel: &Channel<Change>) -> bool {
    let mut woken = engine.subscribe();
    let Ok(mut seen) = changes::latest(engine).await else {
        tokio::time::sleep(RETRY).await;
        return false;
    };
    loop {
        match woken.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => {
                tokio::time::sleep(RETRY).await;
                return false;
            }
        }
        // One wake-up stands for all that came with it.
        while woken.try_recv().is_ok() {}
        let Ok(page) = changes::since(engine, grant, seen, MOST_CHANGES).await else { continue };
        let behind = page.len() >= MOST_CHANGES as usize;
        seen = page.last().map_or(seen, |change| change.sequence);
        let sent = if behind {
            seen = changes::latest(engine).await.unwrap_or(seen);
            send_everything_changed(channel)
        } else {
            page.into_iter().try_for_each(|change| channel.send(change))
        };
        if sent.is_err() {
            return true;
        }
    }
}

async fn pass_on_from(remote: &RemoteStore, channel: &Channel<Change>) -> bool {
    let (mut events, mut connection) = (remote.events(), remote.connection());
    loop {
        let sent = tokio::select! {
            event = events.recv() => match event {
                Ok(Event::Change(change)) => channel.send(change),
                Ok(Event::Everything) | Err(RecvError::Lagged(_)) => send_everything_changed(channel),
                Err(RecvError::Closed) => {
                    tokio::time::sleep(RETRY).await;
                    return false;
                }
            },
            turned = connection.changed() => match turned {
                // The window asks who it is with, and is told whether the connection stands.
                Ok(()) => channel.send(pseudo(ChangeKind::Organization)),
                Err(_) => return false,
            },
        };
        if sent.is_err() {
            return true;
        }
    }
}

/// A change of a whole kind, that no commit made.
fn pseudo(kind: ChangeKind) -> Change {
    Change { sequence: 0, kind, id: String::new(), account_id: None, origin: Origin::Background }
}

/// Tells the window to read everything anew.
///
/// # Errors
/// When the window has gone.
pub(crate) fn send_everything_changed(channel: &Channel<Change>) -> tauri::Result<()> {
    ChangeKind::ALL.iter().try_for_each(|kind| channel.send(pseudo(*kind)))
}
