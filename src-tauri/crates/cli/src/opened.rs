//! The store that a command works on: opened here with its key, or a server's, reached with a token. Management operations go
//! through the one table that `/v1`, `/rpc` and the window use, so that a command answers what they answer, under the same
//! permissions and with an audit row.

use std::path::Path;

use patchbay_engine::installation::StoreUrl;
use patchbay_engine::{CallerInfo, Engine, Grant, ManagementGrant, NetworkPolicy, audit};
use patchbay_model::token::SecretKind;
use patchbay_model::{Code, Operation, Origin, Problem, RemoteUrl, Secret};
use patchbay_remote::{Client, Held, TokenPlace};
use patchbay_vault::{parse_token, system_context};
use serde_json::{Map, Value, json};

use crate::arguments::{OrganizationArguments, StoreArguments};
use crate::failure::Failure;
use crate::installation::{grant, open};

/// Where a server's token comes from.
pub(crate) struct TokenWords {
    pub(crate) variable: &'static str,
    /// The argument that names a file instead.
    argument: &'static str,
}

/// The server that a command works on.
pub(crate) const TOKEN: TokenWords = TokenWords { variable: "PATCHBAY_TOKEN", argument: "--token-file" };
/// The server that a copy goes to, when it comes from another.
pub(crate) const TO_TOKEN: TokenWords = TokenWords { variable: "PATCHBAY_TO_TOKEN", argument: "--to-token-file" };
/// Longest token file; a token is 53 characters.
const LONGEST: u64 = 4096;

/// A request: path parameters by name, query pairs, a JSON body.
#[derive(Default)]
pub(crate) struct Request(patchbay_api::request::Request);

impl From<patchbay_api::request::Request> for Request {
    fn from(request: patchbay_api::request::Request) -> Self {
        Self(request)
    }
}

impl Request {
    /// A request with path parameters.
    pub(crate) fn on<const N: usize>(path: [(&str, &String); N]) -> Self {
        let path = path.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Self(patchbay_api::request::Request { path, ..Default::default() })
    }

    pub(crate) fn with_query(mut self, query: Vec<(&str, String)>) -> Self {
        self.0.query = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self
    }

    /// Members that are null were not given, and are not sent.
    pub(crate) fn with_body(mut self, mut body: Value) -> Self {
        if let Value::Object(members) = &mut body {
            members.retain(|_, member| !member.is_null());
        }
        self.0.body = Some(body);
        self
    }

    /// The same as params of a command.
    fn params(self) -> Value {
        let path: Map<String, Value> = self.0.path.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        let mut query = Map::new();
        for (name, value) in self.0.query {
            if let Value::Array(values) = query.entry(name).or_insert_with(|| json!([])) {
                values.push(Value::String(value));
            }
        }
        json!({ "path": path, "query": query, "body": self.0.body })
    }
}

/// A store that is open for one command.
pub(crate) enum Opened {
    /// Here, for the holder of its key.
    Local {
        /// The engine.
        engine: Engine,
        /// The holder's grant.
        grant: Box<ManagementGrant>,
    },
    /// At a server, for the holder of a token.
    Remote {
        /// The server.
        client: Client,
        /// Id of the member who minted the token.
        member: String,
    },
}

/// Opens the store that was named, does the work, and closes it.
pub(crate) async fn on<T>(
    store: &StoreArguments,
    organization: &OrganizationArguments,
    network: NetworkPolicy,
    work: impl AsyncFnOnce(&Opened) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let opened = match &store.store {
        StoreUrl::Remote(url) => remote(url, store, organization).await?,
        StoreUrl::Sqlite(_) | StoreUrl::Postgres(_) => {
            let engine = open(store, network).await?;
            match grant(&engine, organization).await {
                Ok(grant) => Opened::Local { engine, grant: Box::new(grant) },
                Err(failure) => {
                    engine.shutdown().await;
                    return Err(failure);
                }
            }
        }
    };
    let done = work(&opened).await;
    if let Opened::Local { engine, .. } = &opened {
        engine.shutdown().await;
    }
    done
}

impl Opened {
    /// Runs an operation and gives the `result` of its envelope.
    pub(crate) async fn run(&self, operation: Operation, request: Request) -> Result<Value, Problem> {
        let mut envelope = match self {
            Self::Local { engine, grant } => local(engine, grant, operation, request).await?,
            Self::Remote { client, .. } => client.call(operation.id(), &request.params()).await.map_err(|failure| failure.problem_of(operation.id()))?,
        };
        Ok(envelope.get_mut("result").map(Value::take).unwrap_or_default())
    }

    /// Id of the member as whom the command acts.
    pub(crate) fn member(&self) -> String {
        match self {
            Self::Local { grant, .. } => grant.member().to_string(),
            Self::Remote { member, .. } => member.clone(),
        }
    }
}

async fn local(engine: &Engine, grant: &ManagementGrant, operation: Operation, request: Request) -> Result<Value, Problem> {
    let caller = CallerInfo { path: operation.id().to_owned(), body: request.0.body.clone(), ..CallerInfo::local(Origin::Cli) };
    let grant = grant.with_caller(caller);
    match Box::pin(patchbay_api::operation::run(engine, &grant, operation, request.0)).await {
        Ok(reply) => reply.into_result(),
        Err(problem) => {
            audit::refused(engine, Some(&Grant::Management(grant.clone())), operation.id(), grant.caller(), &problem).await;
            Err(problem)
        }
    }
}

async fn remote(url: &RemoteUrl, store: &StoreArguments, organization: &OrganizationArguments) -> Result<Opened, Failure> {
    let client = client(url, store.token_file.as_deref())?;
    let words = |failure: patchbay_remote::Failure| Failure::from(failure.problem_of("session.info"));
    client.greet().await.map_err(words)?;
    let info = client.call("session.info", &json!({})).await.map_err(words)?;
    let text = |pointer: &str| info.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    // The token decides; naming another one is a mistake that should not be found out afterwards.
    if let Some(wanted) = &organization.organization
        && text("/organization/id") != *wanted
        && !text("/organization/name").eq_ignore_ascii_case(wanted)
    {
        let found = Problem::not_found("organization", wanted).with_detail(format!("The token is one of {}.", text("/organization/name")));
        return Err(found.into());
    }
    Ok(Opened::Remote { client, member: text("/member/id") })
}

/// A client of a server with the token from the file or the variable. Never from an argument: arguments are seen by every user of
/// the machine.
pub(crate) fn client(url: &RemoteUrl, token_file: Option<&Path>) -> Result<Client, Failure> {
    client_by(url, token_file, &TOKEN)
}

/// The same, with the token from elsewhere.
pub(crate) fn client_by(url: &RemoteUrl, token_file: Option<&Path>, words: &TokenWords) -> Result<Client, Failure> {
    let context = system_context();
    let token = token(token_file, words)?;
    let held = Held::access_only(token, context.now());
    Ok(Client::new(url.clone(), held, TokenPlace::Memory, "cli", context)?)
}

/// A client that can only greet the server.
pub(crate) fn stranger(url: &RemoteUrl) -> Result<Client, Failure> {
    let context = system_context();
    let nothing = Held::access_only(Secret::new(String::new()), context.now());
    Ok(Client::new(url.clone(), nothing, TokenPlace::Memory, "cli", context)?)
}

fn token(file: Option<&Path>, words: &TokenWords) -> Result<Secret, Failure> {
    let TokenWords { variable, argument } = words;
    let (text, place) = match (file, std::env::var(variable)) {
        (Some(path), _) => (read_private(path)?, format!("The file {}", path.display())),
        (None, Ok(text)) if !text.trim().is_empty() => (Secret::new(text), format!("The variable {variable}")),
        (None, _) => {
            return Err(Failure::usage(format!(
                "a server is opened with an organization access token: set {variable}, or name a file that holds one with {argument}. `patchbay token mint` makes one"
            )));
        }
    };
    let trimmed = Secret::new(text.expose().trim());
    // Said here, in words, before a secret of another kind is sent anywhere.
    match parse_token(trimmed.expose()) {
        Ok(parsed) if parsed.kind() == SecretKind::OrganizationAccess => Ok(trimmed),
        Ok(parsed) => Err(Failure::usage(format!("{place} holds a {}; an organization access token is needed", parsed.kind().words()))),
        Err(shape) => Err(Failure::usage(format!("{place} holds no token: {shape}"))),
    }
}

/// A file that only its owner can read.
fn read_private(path: &Path) -> Result<Secret, Failure> {
    use std::io::Read;
    let failed =
        |error: std::io::Error| Problem::new(Code::InvalidField, format!("The token file {} cannot be read: {error}. Check the path and whether you may read it.", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&metadata) & 0o777;
        // A pipe, as `<(...)` of a shell gives, has nobody else at its end.
        if metadata.is_file() && mode & 0o077 != 0 {
            return Err(Problem::new(
                Code::KeyUnavailable,
                format!("The token file {} can be read by others (mode {mode:04o}). Run `chmod 600` on it, and consider whether others have read it.", path.display()),
            )
            .into());
        }
    }
    let mut bytes = Vec::with_capacity(256);
    let read = file.take(LONGEST).read_to_end(&mut bytes).map_err(failed);
    let text = Secret::from_utf8(bytes);
    read?;
    text.ok_or_else(|| Failure::usage(format!("the file {} holds no token", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_params() {
        let request = Request::on([("account_id", &"a".to_owned())]).with_query(vec![("filter", "x".to_owned()), ("limit", "5".to_owned()), ("filter", "y".to_owned())]);
        assert_eq!(request.params(), json!({ "path": { "account_id": "a" }, "query": { "filter": ["x", "y"], "limit": ["5"] }, "body": null }));
        assert_eq!(Request::default().with_body(json!({ "a": null, "b": 1 })).params()["body"], json!({ "b": 1 }));
    }
}
