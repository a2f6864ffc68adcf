//! The catalog: every provider that this build knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use patchbay_model::connector::Connector;
use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::consent::Place;
use patchbay_model::{Code, Problem, ProviderId, Timestamp};
use serde_json::{Map, Value};
use url::Url;

use crate::adapters::{self, Adapter};
use crate::capability::{self, Expand, ProviderRow};
use crate::declared::{self, LocateContext, Located};
use crate::exchange::{ProviderRequest, ProviderResponse};
use crate::manifest::call::CallFacts;
use crate::manifest::credential::Flow;
use crate::manifest::{At, Auth, Base, Cause, CredentialOption, Endpoints, Fact, Families, Family, Manifest, Seen, Server, Slot, Sunset, Template};
use crate::schema;
use crate::step::{AdapterContext, Identity, Step};
use crate::values::{Values, unfit};

/// Files of the catalog: name and text of each.
macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../catalog/", $folder, $name, ".toml")))),*]
    };
}

/// The manifests. A provider is added by one file here and at most one adapter in [`adapters`]. `ID@VERSION` are kept for those who pin them.
const MANIFESTS: &[(&str, &str)] = files![
    "":
    "accounting_quickbooks",
    "accounting_stripe",
    "accounting_xero",
    "appsec_snyk",
    "chat_microsoft_teams",
    "chat_slack",
    "cloudsecurity_aws",
    "crm_hubspot",
    "crm_pipedrive",
    "crm_salesforce",
    "crm_zoho",
    "custom_confluence",
    "custom_docusign",
    "custom_notion",
    "custom_sendgrid",
    "custom_shopify",
    "custom_snowflake",
    "custom_twilio",
    "custom_zoom",
    "edr_crowdstrike",
    "identity_auth0",
    "identity_aws_iam",
    "identity_entra_id",
    "identity_google",
    "identity_keycloak",
    "identity_okta",
    "identity_onelogin",
    "identity_openid",
    "identity_openid@2",
    "identity_pingone",
    "identity_scim",
    "incidentresponse_opsgenie",
    "incidentresponse_pagerduty",
    "notifications_discord",
    "notifications_matrix",
    "notifications_slack",
    "siem_datadog",
    "siem_elasticsearch",
    "siem_opensearch",
    "siem_splunk",
    "sink_aws_sqs",
    "storage_aws_s3",
    "storage_azure_blob",
    "storage_box",
    "storage_dropbox",
    "storage_gcs",
    "storage_google_drive",
    "ticketing_asana",
    "ticketing_azure_devops",
    "ticketing_bitbucket",
    "ticketing_clickup",
    "ticketing_freshdesk",
    "ticketing_github",
    "ticketing_gitlab",
    "ticketing_intercom",
    "ticketing_jira",
    "ticketing_jira@2",
    "ticketing_jira_data_center",
    "ticketing_linear",
    "ticketing_mock_ticketing",
    "ticketing_mock_ticketing@2",
    "ticketing_monday",
    "ticketing_pagerduty",
    "ticketing_redmine",
    "ticketing_redmine@2",
    "ticketing_sentry",
    "ticketing_servicenow",
    "ticketing_zendesk",
];

/// The families, by id.
const FAMILIES: &[(&str, &str)] = files!["family/": "atlassian", "aws", "github", "google", "microsoft", "pagerduty", "slack"];

/// Why a manifest cannot be used. With the built-in manifests this is a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not the TOML that a manifest is.
    #[error("manifest `{name}` cannot be read: {message}")]
    Unreadable {
        /// Name of the file.
        name: String,
        /// What the parser says.
        message: String,
    },
    /// It contradicts itself.
    #[error("manifest `{name}` is inconsistent: {message}")]
    Inconsistent {
        /// Name of the file.
        name: String,
        /// What does not fit.
        message: String,
    },
}

/// Every provider, sorted by id: its newest version, and those before it that are kept for the integrations that pin them.
#[derive(Clone)]
pub struct Catalog {
    providers: Vec<Arc<Provider>>,
    older: Vec<Arc<Provider>>,
    families: Arc<Families>,
}

impl Catalog {
    /// The providers compiled in.
    ///
    /// # Errors
    /// When a manifest is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, CatalogError> {
        Self::of_files(MANIFESTS, FAMILIES)
    }

    /// The providers of these manifests: name and text of each. The name is the provider's id, with `@VERSION` behind it
    /// where another version has the bare name.
    ///
    /// # Errors
    /// When a manifest is broken, or two are of one version.
    pub fn of_manifests(manifests: &[(&str, &str)]) -> Result<Self, CatalogError> {
        Self::of_files(manifests, FAMILIES)
    }

    /// The same with families: id and text of each.
    ///
    /// # Errors
    /// When a manifest or family is broken, or two manifests are of one version.
    pub fn of_files(manifests: &[(&str, &str)], families: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let families = families
            .iter()
            .map(|(name, text)| match Family::parse(text) {
                Ok(family) => Ok(((*name).to_owned(), family)),
                Err(message) => Err(CatalogError::Unreadable { name: format!("family/{name}"), message }),
            })
            .collect::<Result<Families, _>>()?;
        let all = manifests.iter().map(|(name, text)| Provider::parse(name, text, &families).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        Self::assembled(all, Arc::new(families))
    }

    /// A catalog of one manifest, laid over these families.
    ///
    /// # Errors
    /// When the manifest is broken.
    pub fn of_one(name: &str, text: &str, families: &Families) -> Result<Self, CatalogError> {
        let provider = Provider::parse(name, text, families)?;
        Self::assembled(vec![Arc::new(provider)], Arc::new(families.clone()))
    }

    fn assembled(mut all: Vec<Arc<Provider>>, families: Arc<Families>) -> Result<Self, CatalogError> {
        all.sort_by(|a, b| a.id().cmp(b.id()).then_with(|| version_key(b.version()).cmp(&version_key(a.version()))));
        let mut catalog = Self { providers: Vec::new(), older: Vec::new(), families };
        for provider in all {
            match catalog.providers.last().filter(|newest| newest.id() == provider.id()) {
                Some(newest)
                    if newest.version() == provider.version() || catalog.older.iter().any(|older| older.id() == provider.id() && older.version() == provider.version()) =>
                {
                    return Err(CatalogError::Inconsistent { name: provider.id().to_string(), message: format!("version {} stands twice", provider.version()) });
                }
                Some(_) => catalog.older.push(provider),
                None => catalog.providers.push(provider),
            }
        }
        Ok(catalog)
    }

    /// This catalog with the manifests of an organization laid over it. One with the id of a provider here goes before all of that provider's
    /// versions and keeps its adapter; those versions stay for the integrations that pin them. Others are added.
    ///
    /// # Errors
    /// When a manifest is broken, takes a version that is taken, or two are of one provider.
    pub fn overlaid(&self, own: &[UserManifest]) -> Result<Self, CatalogError> {
        for given in own {
            if self.every_version().any(|known| known.id() == &given.id && known.version() == given.version) || own.iter().filter(|other| other.id == given.id).count() > 1 {
                let name = format!("{}@{}", given.id, given.version);
                return Err(CatalogError::Inconsistent { name, message: "there is another manifest of this provider under the same name; withdraw one".to_owned() });
            }
        }
        Ok(self.laid_over(own.iter().map(|given| self.own(given)).collect::<Result<Vec<_>, _>>()?))
    }

    /// A provider by the manifest that an organization added, under the version under which it is kept.
    ///
    /// # Errors
    /// When the manifest is broken.
    pub fn own(&self, given: &UserManifest) -> Result<Arc<Provider>, CatalogError> {
        let mut provider = Provider::parse(given.id.as_str(), &given.text, &self.families)?;
        if provider.is_local() && !self.get(&given.id).is_some_and(|known| known.is_local()) {
            let message = "base: `local` is for providers that live inside Patchbay; say where the API is".to_owned();
            return Err(CatalogError::Inconsistent { name: given.id.to_string(), message });
        }
        given.version.clone_into(&mut provider.manifest.version);
        provider.own = true;
        Ok(Arc::new(provider))
    }

    /// This catalog with these providers of an organization's own, one of each id, in front of those of the same ids.
    #[must_use]
    pub fn laid_over(&self, own: Vec<Arc<Provider>>) -> Self {
        let mut catalog = self.clone();
        for provider in own {
            match catalog.providers.iter_mut().find(|known| known.id() == provider.id()) {
                Some(newest) => catalog.older.push(std::mem::replace(newest, provider)),
                None => catalog.providers.push(provider),
            }
        }
        catalog.providers.sort_by(|a, b| a.id().cmp(b.id()));
        catalog
    }

    /// A catalog of this provider alone.
    #[must_use]
    pub fn only(&self, provider: &Arc<Provider>) -> Self {
        Self { providers: vec![provider.clone()], older: Vec::new(), families: self.families.clone() }
    }

    /// The families that manifests can name.
    pub fn families(&self) -> &Families {
        &self.families
    }

    /// One version of a provider; its newest where that version is no longer kept.
    pub fn version(&self, id: &ProviderId, version: &str) -> Option<&Arc<Provider>> {
        self.every_version().find(|provider| provider.id() == id && provider.version() == version).or_else(|| self.get(id))
    }

    /// Every version of every provider that is kept.
    pub fn every_version(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.iter().chain(&self.older)
    }

    /// Every provider in its newest version.
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// The provider with this id.
    pub fn get(&self, id: &ProviderId) -> Option<&Arc<Provider>> {
        self.find(id.as_str())
    }

    /// The provider with this id, given as text.
    pub fn find(&self, id: &str) -> Option<&Arc<Provider>> {
        self.providers.iter().find(|provider| provider.id().as_str() == id)
    }

    /// The providers of a connector.
    pub fn of(&self, connector: Connector) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.iter().filter(move |provider| provider.connector() == connector)
    }
}

/// A manifest that an organization added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserManifest {
    /// The provider that it is of.
    pub id: ProviderId,
    /// The version under which it is kept, which goes before the one that it says itself.
    pub version: String,
    /// As it was entered.
    pub text: String,
}

/// One provider: its manifest and, where it has unified operations, its adapter.
#[derive(Clone)]
pub struct Provider {
    manifest: Manifest,
    adapter: Option<&'static dyn Adapter>,
    /// Whether an organization added it.
    own: bool,
}

/// Reads a manifest and judges it. The name is the provider's id, with `@VERSION` behind it where it is that version's.
///
/// # Errors
/// When it cannot be read or contradicts itself; the message names each key and what to do.
pub fn read(name: &str, text: &str, families: &Families) -> Result<Manifest, CatalogError> {
    let manifest = Manifest::read(text, families).map_err(|message| CatalogError::Unreadable { name: name.to_owned(), message })?;
    let (id, version) = name.split_once('@').map_or((name, None), |(id, version)| (id, Some(version)));
    let inconsistent = |message: String| CatalogError::Inconsistent { name: name.to_owned(), message };
    if manifest.id.as_str() != id {
        return Err(inconsistent(format!("id: `{}` is not the name of the file", manifest.id)));
    }
    if version.is_some_and(|version| version != manifest.version) {
        return Err(inconsistent(format!("version: `{}` is not the one in the name of the file", manifest.version)));
    }
    let faults = manifest.check();
    if faults.is_empty() { Ok(manifest) } else { Err(inconsistent(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))) }
}

impl Provider {
    fn parse(name: &str, text: &str, families: &Families) -> Result<Self, CatalogError> {
        let manifest = read(name, text, families)?;
        let adapter = adapters::find(manifest.id.as_str());
        if adapter.is_none() && !manifest.operation.is_empty() {
            return Err(CatalogError::Inconsistent {
                name: name.to_owned(),
                message: "operation: there is no adapter for it, so it can offer none; drop [[operation]]".to_owned(),
            });
        }
        Ok(Self { manifest, adapter, own: false })
    }

    /// All that is known of it.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Whether an organization added it, so that no other one sees it.
    pub const fn is_own(&self) -> bool {
        self.own
    }

    /// Its id.
    pub const fn id(&self) -> &ProviderId {
        &self.manifest.id
    }

    /// Its category.
    pub const fn connector(&self) -> Connector {
        self.manifest.connector
    }

    /// The manifest's version, which is the definition's.
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    /// Whether this version has ended by its manifest: it must not be used for new integrations.
    pub fn withdrawn(&self, now: Timestamp) -> bool {
        self.manifest.version_sunset().and_then(Sunset::from).is_some_and(|from| from <= now)
    }

    /// What has ended by `now`.
    pub fn sunsets(&self, now: Timestamp) -> Vec<&Sunset> {
        self.manifest.sunset.iter().filter(|sunset| sunset.from().is_some_and(|from| from <= now)).collect()
    }

    /// What its manifest claims, and who says so.
    pub fn facts(&self) -> Vec<Fact> {
        self.manifest.facts()
    }

    /// The authorization server of this name.
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.manifest.server.get(name)
    }

    /// The way to authenticate under this `type`, inline or as its `_id` twin.
    pub fn way(&self, word: &str) -> Option<&CredentialOption> {
        self.credential(word)
    }

    /// The server at which a person consents with the credential of this `type`.
    pub fn consent(&self, word: &str) -> Option<&Server> {
        match &self.way(word)?.auth {
            Auth::Consent { server, .. } => self.server(server),
            _ => None,
        }
    }

    /// How a person consents with the credential of this `type`.
    pub fn flows(&self, word: &str) -> &[Flow] {
        match self.way(word).map(|way| &way.auth) {
            Some(Auth::Consent { flows, .. }) => flows,
            _ => &[],
        }
    }

    /// Whether a person can consent with any of its credentials.
    pub fn has_consent(&self) -> bool {
        self.manifest.credential.iter().any(|way| matches!(way.auth, Auth::Consent { .. }))
    }

    /// What templates can have of an integration, secrets aside.
    pub fn values(&self, config: &Map<String, Value>, kept: &BTreeMap<String, String>, located: &BTreeMap<String, String>) -> Values {
        Values::of(&self.manifest, config, kept, located)
    }

    /// An endpoint of a server. Codes and client secrets follow it, so neither a configuration nor an answer may lead it to hosts that the
    /// manifest does not name.
    ///
    /// # Errors
    /// `invalid_config` when the address cannot be made of the configuration, or leads elsewhere.
    pub fn endpoint(&self, server: &Server, template: &Template, values: &Values) -> Result<Url, Problem> {
        let text = values.fill(template).map_err(|error| unfit(&self.manifest, &error))?;
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let chosen = template.chosen_by();
        let place = |problem: Problem| match chosen {
            Some(name) => problem.at_body(&format!("/provider_config/{name}")),
            None => problem,
        };
        let Some(url) = url else {
            return Err(place(Problem::new(Code::InvalidConfig, format!("An address of {} cannot be made of the configuration. Correct it.", self.fullname()))));
        };
        let of_answer = template.slots().any(|slot| matches!(slot, Slot::Kept(_) | Slot::Located(_)));
        let property =
            chosen.and_then(|name| self.manifest.config.iter().chain(self.manifest.credential.iter().flat_map(|way| &way.config)).find(|property| property.name == name));
        if property.is_some_and(|property| !property.allows(&url)) || (of_answer && !declared::allowed(&url, &server.hosts)) {
            let host = url.host_str().unwrap_or_default();
            return Err(place(Problem::new(
                Code::InvalidConfig,
                format!("The host {} is not one of {}; client secrets are not sent there. Correct the configuration.", crate::reading::cut(host, 200), self.fullname()),
            )));
        }
        Ok(url)
    }

    /// The address that a provider app must be of, where the server runs at the customer's own: its issuer, else its origin.
    ///
    /// # Errors
    /// `invalid_config` when the address cannot be made of the configuration.
    pub fn home(&self, server: &Server, values: &Values) -> Result<Option<String>, Problem> {
        if !server.self_hosted {
            return Ok(None);
        }
        match &server.endpoints {
            Endpoints::Discovery { issuer, .. } => values.fill(issuer).map(Some).map_err(|error| unfit(&self.manifest, &error)),
            Endpoints::Fixed(fixed) => {
                let Some(template) = fixed.token.as_ref().or(fixed.authorize.as_ref()) else { return Ok(None) };
                Ok(Some(self.endpoint(server, template, values)?.origin().ascii_serialization()))
            }
        }
    }

    /// What an error of this provider means, by the first rule that speaks of it, and what to do.
    pub fn explain(&self, at: At, seen: &Seen<'_>) -> Option<(Cause, &str)> {
        self.manifest.error.iter().find(|rule| rule.holds(at, seen)).map(|rule| (rule.cause, rule.words.as_str()))
    }

    /// Name for people.
    pub fn fullname(&self) -> &str {
        &self.manifest.fullname
    }

    /// How it authenticates, for a definition: the words of the credentials accepted, joined by commas, or `none`.
    pub fn auth_type(&self) -> String {
        if self.manifest.credential.is_empty() {
            return "none".to_owned();
        }
        self.manifest.credential.iter().map(|option| option.word.as_str()).collect::<Vec<_>>().join(",")
    }

    /// The credential accepted under this `type`, inline or as its `_id` twin.
    pub fn credential(&self, word: &str) -> Option<&CredentialOption> {
        let inline = word.strip_suffix("_id").unwrap_or(word);
        self.manifest.credential.iter().find(|option| option.word == inline)
    }

    /// JSON Schema (draft 2020-12) of `provider_config`: `type`, the configuration, and the union of credentials inline or by reference.
    pub fn provider_config_schema(&self) -> Value {
        schema::provider_config(&self.manifest)
    }

    /// JSON Schema of the configuration alone, without `type` and `credential`.
    pub fn settings_schema(&self) -> Value {
        schema::settings(&self.manifest)
    }

    /// JSON Schema of the union of inline credentials; of `null` where the provider needs none.
    pub fn credentials_schema(&self) -> Value {
        schema::credentials(&self.manifest)
    }

    /// JSON Schema of one inline credential, by its `type`.
    pub fn credential_schema(&self, word: &str) -> Option<Value> {
        self.manifest.credential.iter().find(|option| option.word == word).map(schema::credential)
    }

    /// The row of `GET /v1/capabilities/providers`.
    pub fn capabilities(&self, expand: Expand) -> ProviderRow {
        capability::provider_row(self, expand)
    }

    /// Whether the operation of this name is offered.
    pub fn supports(&self, operation: &str) -> bool {
        self.manifest.operation.iter().any(|facts| facts.name == operation)
    }

    /// Whether it lives inside Patchbay, so that nothing of it can be out of reach.
    pub fn is_local(&self) -> bool {
        self.manifest.base == Base::Local
    }

    /// Finds where the API of an integration is, as its manifest says. Where the configuration says it, this ends at once; where the
    /// provider must be asked, a request with the credential is made. The outcome may be kept as long as configuration and credential stay.
    ///
    /// # Errors
    /// `invalid_config` when the configured address is none.
    pub fn locate(&self, context: &LocateContext<'_>) -> Result<Step<Located>, Problem> {
        declared::locate(&self.manifest, context)
    }

    /// Starts asking for the places of which a person chooses one. None where nobody is asked.
    pub fn places(&self, context: &LocateContext<'_>) -> Option<Result<Step<Vec<Place>>, Problem>> {
        declared::places(&self.manifest, context)
    }

    /// Starts the cheapest request that proves the credential.
    ///
    /// # Errors
    /// When the configuration does not suffice.
    pub fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        if let Some(adapter) = self.adapter {
            return adapter.probe(context);
        }
        let own = context.credential.as_deref().and_then(|word| self.credential(word)).and_then(|way| way.probe.as_ref());
        let probe = own.or(self.manifest.probe.as_ref()).ok_or_else(|| self.unmapped("probe"))?;
        let values = Values::of(&self.manifest, &context.config, &context.kept, &context.located);
        declared::probe(&self.manifest, probe, context.base_url.as_ref(), &values)
    }

    /// Whether an answer of the API says that the credential is none, in words of this provider's own: some tell it with a status of
    /// success.
    pub fn refuses(&self, way: Option<&CredentialOption>, answer: &ProviderResponse) -> bool {
        let probe = way.and_then(|way| way.probe.as_ref()).or(self.manifest.probe.as_ref());
        declared::refuses(&self.manifest, probe, answer)
    }

    /// What an answer means by the first rule that speaks of it, and what to do.
    pub fn explain_answer(&self, at: At, answer: &ProviderResponse) -> Option<(Cause, &str)> {
        declared::explained(&self.manifest, at, answer)
    }

    /// A request that the manifest writes: a login, an end. What begins with a slash is below `base`.
    ///
    /// # Errors
    /// `invalid_config` when it cannot be made of the configuration.
    pub fn request(&self, call: &CallFacts, base: Option<&Url>, values: &Values) -> Result<ProviderRequest, Problem> {
        declared::request(&self.manifest, call, base, values)
    }

    /// What an answer to such a request says, where it is a good one. `noun` names what was asked for.
    ///
    /// # Errors
    /// The provider's refusal, or `provider_invalid_answer`.
    pub fn answer(&self, call: &CallFacts, response: &ProviderResponse, noun: &str) -> Result<Value, Problem> {
        declared::good(&self.manifest, call, response, noun)
    }

    /// Where the API is for the credential of this `type`.
    pub fn base(&self, word: Option<&str>) -> &Base {
        word.and_then(|word| self.credential(word)).and_then(|way| way.base.as_ref()).unwrap_or(&self.manifest.base)
    }

    /// Whether organizations have a client or a principal of their own at it, which they enter as provider app.
    pub fn has_app(&self) -> bool {
        self.has_consent() || self.has_principal()
    }

    /// Whether roles are assumed at it by the organization's own principal.
    pub fn has_principal(&self) -> bool {
        self.manifest.credential.iter().any(|way| matches!(way.auth, Auth::AwsRole { .. }))
    }

    /// Whether every way to authenticate has something that proves it.
    pub fn probes(&self) -> bool {
        self.adapter.is_some() || self.manifest.probe.is_some() || self.manifest.credential.iter().all(|way| way.probe.is_some())
    }

    /// Starts a ticketing operation.
    ///
    /// # Errors
    /// Before any request: `operation_unsupported`, `invalid_filter`, `invalid_order`, or what the adapter finds wrong with the arguments.
    pub fn ticketing(&self, operation: TicketingOperation, context: &AdapterContext) -> Result<Step<TicketingAnswer>, Problem> {
        let Some(facts) = self.manifest.operation.iter().find(|facts| facts.name == operation.name()) else {
            return Err(Problem::new(
                Code::OperationUnsupported,
                format!("{} does not offer `{}`. GET /v1/capabilities/providers/{} lists what it offers.", self.fullname(), operation.name(), self.id()),
            ));
        };
        if let TicketingOperation::QueryTickets { filters, orders, .. } = &operation {
            capability::check_query(self.fullname(), facts, filters, orders)?;
        }
        self.adapter.ok_or_else(|| self.unmapped(operation.name()))?.ticketing(operation, context)
    }

    fn unmapped(&self, what: &str) -> Problem {
        Problem::new(Code::OperationUnsupported, format!("{} has no mapping for `{what}`.", self.fullname()))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("id", self.id()).field("version", &self.version()).finish_non_exhaustive()
    }
}

/// A version in the order of its numbers, so that 10 comes behind 9; what is no number comes first.
fn version_key(version: &str) -> (Vec<u64>, &str) {
    (version.split('.').map(|part| part.parse().unwrap_or_default()).collect(), version)
}
