//! Driving an adapter: its steps are done one after the other, within bounds, with the credential added where the adapter
//! asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patchbay_model::{Code, Context, IntegrationId, Problem, Scope, Secret};
use patchbay_providers::{AdapterContext, CredentialOption, Located, Provider, ProviderRequest, ProviderResponse, Step};
use serde_json::{Map, Value};

use super::opened::Opened;
use super::request;
use crate::Engine;
use crate::auth::{self, Asking, Carried, MintedToken, Unminted};
use crate::http::{HttpFailure, HttpRequest, Limits, Mask, Recorder, Repeat};
use crate::refresh;

/// How long one call may take, all its requests and repeats together.
const WHOLE_CALL: Duration = Duration::from_secs(60);
/// How long one request may take, its repeats among it.
const ONE_REQUEST: Duration = Duration::from_secs(30);
/// Steps of one call. Adapters need a handful; a provider that sends them in circles is stopped.
const MOST_STEPS: usize = 64;
/// Bytes of all answers of one call together.
const MOST_BYTES: usize = 128 << 20;

/// One call under way.
pub(crate) struct Drive<'a> {
    pub(crate) engine: &'a Engine,
    /// Account of the integration.
    pub(crate) scope: Scope,
    /// Whose documents local steps are about, and whose lane requests use.
    pub(crate) integration: IntegrationId,
    /// Name of the operation, for the log.
    pub(crate) operation: &'static str,
    pub(crate) provider: Arc<Provider>,
    /// `type` of the credential, which says how the provider takes it.
    pub(crate) word: Option<String>,
    /// The configuration as adapters see it.
    pub(crate) settings: Map<String, Value>,
    /// What answers and callbacks brought beside tokens, without what is secret.
    pub(crate) kept: BTreeMap<String, String>,
    /// What the lookup of the address took.
    pub(crate) located: BTreeMap<String, String>,
    pub(crate) opened: Opened,
    /// The token that requests carry where one is got first.
    pub(crate) minted: Option<MintedToken>,
    /// What requests carried and must not be shown.
    pub(crate) covers: Vec<Secret>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) state: DriveState,
}

/// What a call has come to.
pub(crate) struct DriveState {
    deadline: Instant,
    steps: usize,
    /// Requests sent to the provider; for one that lives inside Patchbay, steps on its documents.
    pub(crate) operations: u64,
    /// Bytes received.
    pub(crate) received: usize,
    /// Bytes sent, bodies only.
    pub(crate) sent: usize,
    /// The provider refuses the credential.
    pub(crate) refused: bool,
    /// The provider took the credential.
    pub(crate) accepted: bool,
    /// The provider could not be reached.
    pub(crate) unreachable: bool,
    /// The provider did not answer in time.
    pub(crate) timed_out: bool,
    renewed: bool,
    /// The access token was refused and no other could be got.
    pub(crate) unrenewed: bool,
    /// What the adapter tells beside the result.
    pub(crate) notices: Vec<Problem>,
}

impl DriveState {
    pub(crate) fn begin() -> Self {
        Self {
            deadline: Instant::now() + WHOLE_CALL,
            steps: 0,
            operations: 0,
            received: 0,
            sent: 0,
            refused: false,
            accepted: false,
            unreachable: false,
            timed_out: false,
            renewed: false,
            unrenewed: false,
            notices: Vec::new(),
        }
    }
}

impl<'a> Drive<'a> {
    fn context(&self) -> &'a Context {
        self.engine.context()
    }

    /// How the provider takes the credential.
    pub(super) fn option(&self) -> Option<&CredentialOption> {
        self.word.as_deref().and_then(|word| self.provider.way(word))
    }

    /// What an adapter is given. What the lookup took goes with requests from then on.
    pub(crate) fn adapter_context(&mut self, located: Located) -> AdapterContext {
        let Located { base_url, values } = located;
        self.located.clone_from(&values);
        AdapterContext { config: self.settings.clone(), base_url, credential: self.word.clone(), kept: self.kept.clone(), located: values, context: self.context().clone() }
    }

    /// Does every step up to the end.
    ///
    /// # Errors
    /// What the adapter makes of the answers, and what stands in the way of getting them.
    pub(crate) async fn run<T>(&mut self, mut step: Step<T>) -> Result<T, Problem> {
        loop {
            step = match step {
                Step::Done(outcome) => return Ok(outcome),
                Step::Notice { problem, next } => {
                    self.state.notices.push(*problem);
                    *next
                }
                Step::Local { op, then } => {
                    self.count_step()?;
                    self.state.operations += 1;
                    self.state.sent += super::local::sent(&op);
                    let answer = super::local::perform(self.engine, self.scope, self.integration, op).await?;
                    self.state.received += super::local::received(&answer);
                    then(answer)?
                }
                Step::Send { request, then } => {
                    self.count_step()?;
                    let answer = self.send(&request).await?;
                    then(answer)?
                }
            };
        }
    }

    fn count_step(&mut self) -> Result<(), Problem> {
        self.state.steps += 1;
        if self.state.steps > MOST_STEPS || self.state.received > MOST_BYTES {
            return Err(Problem::new(
                Code::ProviderInvalidAnswer,
                "The provider's answers lead from one request to the next without end, or are too large altogether. Ask for less at a time.",
            ));
        }
        Ok(())
    }

    async fn send(&mut self, request: &ProviderRequest) -> Result<ProviderResponse, Problem> {
        let answer = self.send_once(request).await?;
        if !request.authenticated || matches!(self.opened, Opened::Nothing) {
            return Ok(answer);
        }
        if !self.refuses(&answer) {
            self.accepts(&answer);
            return Ok(answer);
        }
        // A token can end before its time: once per call it is got anew and the request made again. The provider has refused the
        // first one, so nothing is done twice.
        if !self.state.renewed && self.renew().await? {
            let answer = self.send_once(request).await?;
            self.state.refused = self.refuses(&answer);
            if !self.state.refused {
                self.accepts(&answer);
            }
            return Ok(answer);
        }
        self.state.refused = true;
        Ok(answer)
    }

    /// Whether an answer says that the credential is none.
    fn refuses(&self, answer: &ProviderResponse) -> bool {
        answer.status == 401 || self.provider.refuses(self.option(), answer)
    }

    /// A refusal for other reasons (403, 404, 429) still means that the credential was read and known.
    fn accepts(&mut self, answer: &ProviderResponse) {
        self.state.accepted |= answer.status < 500 && answer.status != 429;
    }

    /// Another token in place of one that was refused. Says whether there is one.
    async fn renew(&mut self) -> Result<bool, Problem> {
        if let Some(refused) = self.minted.take() {
            self.state.renewed = true;
            self.mint(Some(&refused.token)).await?;
            return Ok(true);
        }
        let Opened::Tokens { credential, set } = &self.opened else { return Ok(false) };
        self.state.renewed = true;
        match refresh::after_refusal(self.engine, self.scope, credential, set, self.option()).await {
            Ok(Some(opened)) => {
                self.take(opened);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(problem) => {
                self.state.unrenewed = true;
                Err(problem)
            }
        }
    }

    /// Gets the token that requests carry, where one is got first and none is there. What came beside it is known from then on.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn ready(&mut self) -> Result<(), Problem> {
        if self.minted.is_some() { Ok(()) } else { self.mint(None).await }
    }

    async fn mint(&mut self, refused: Option<&Secret>) -> Result<(), Problem> {
        let provider = Arc::clone(&self.provider);
        let Some(option) = self.word.as_deref().and_then(|word| provider.way(word)).filter(|option| auth::is_minted(&option.auth)) else { return Ok(()) };
        let asking = Asking {
            engine: self.engine,
            scope: self.scope,
            integration: self.integration,
            provider: &provider,
            way: option,
            settings: &self.settings,
            opened: &self.opened,
            testing: self.operation == super::probe::PROBE,
        };
        match auth::token(&asking, refused).await {
            Ok(minted) => {
                if let Some(recorder) = &mut self.recorder {
                    minted.cover(recorder.mask_mut());
                }
                self.kept.extend(minted.kept.clone());
                self.minted = Some(minted);
                Ok(())
            }
            Err(Unminted { problem, refused }) => {
                self.state.refused |= refused;
                self.state.unreachable |= problem.code == Code::ProviderUnreachable;
                self.state.timed_out |= problem.code == Code::ProviderTimeout;
                Err(problem.with_resource("integration", self.integration, "affected"))
            }
        }
    }

    /// Goes on with another credential, which recordings cover from now on.
    pub(crate) fn take(&mut self, opened: Opened) {
        if let Some(recorder) = &mut self.recorder {
            opened.cover(recorder.mask_mut());
        }
        self.opened = opened;
    }

    async fn send_once(&mut self, request: &ProviderRequest) -> Result<ProviderResponse, Problem> {
        if request.authenticated {
            self.ready().await?;
        }
        let outbound = self.engine.outbound();
        let mut outgoing = request::outgoing(request, self.operation, self.context().entropy())?;
        self.carry(request, &mut outgoing)?;
        let limits = Limits {
            deadline: self.state.deadline.min(Instant::now() + ONE_REQUEST),
            max_bytes: request.max_answer_bytes.min(MOST_BYTES),
            repeat: if request.idempotent { Repeat::Idempotent } else { Repeat::OnlyUnsent },
        };
        let facts = &self.provider.manifest().limits;
        let width = facts.concurrent.and_then(|width| usize::try_from(width).ok());
        let turn = outbound.lanes.enter(self.integration.uuid(), width, limits.deadline).await?;
        self.state.sent += outgoing.body.len();
        self.state.operations += 1;
        let answer = self.engine.http().send(&outgoing, limits, Some(turn.lane()), self.recorder.as_mut()).await.map_err(|failure| {
            self.state.unreachable = matches!(failure, HttpFailure::Unreachable { .. });
            self.state.timed_out = matches!(failure, HttpFailure::Timeout { .. });
            Problem::from(failure).with_resource("integration", self.integration, "affected")
        })?;
        if answer.status == reqwest::StatusCode::TOO_MANY_REQUESTS
            && let Some(seconds) = facts.retry_after_seconds
            && !answer.headers.contains_key(reqwest::header::RETRY_AFTER)
        {
            turn.lane().pause_for(Duration::from_secs(seconds.min(3600)));
        }
        self.state.received += answer.body.len();
        Ok(request::incoming(answer))
    }

    /// A problem as it may be shown: without the secrets of this call, should the provider have quoted one.
    pub(crate) fn covered(&self, problem: Problem) -> Problem {
        let mut mask = Mask::default();
        self.opened.cover(&mut mask);
        if let Some(minted) = &self.minted {
            minted.cover(&mut mask);
        }
        self.covers.iter().for_each(|secret| mask.cover(secret));
        mask.problem(problem)
    }

    /// Puts the credential into a request, and the address that is one.
    fn carry(&mut self, request: &ProviderRequest, outgoing: &mut HttpRequest) -> Result<(), Problem> {
        let provider = Arc::clone(&self.provider);
        let Some(way) = self.word.as_deref().and_then(|word| provider.way(word)) else { return Ok(()) };
        let carried = Carried { provider: &provider, way, settings: &self.settings, kept: &self.kept, located: &self.located, opened: &self.opened, minted: self.minted.as_ref() };
        let mut covers = carried.address(outgoing)?;
        if request.authenticated {
            covers.append(&mut carried.apply(self.context(), outgoing, request.signed_for.as_ref())?);
        }
        for secret in covers {
            if let Some(recorder) = &mut self.recorder {
                recorder.mask_mut().cover(&secret);
            }
            if !self.covers.iter().any(|known| known.expose() == secret.expose()) {
                self.covers.push(secret);
            }
        }
        Ok(())
    }
}
