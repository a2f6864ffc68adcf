//! The catalog: every provider that this build knows.

use patchbay_model::connector::Connector;
use patchbay_model::connector::ticketing::{TicketingAnswer, TicketingOperation};
use patchbay_model::credential::CredentialKind;
use patchbay_model::integration::RUNTIME_MEMBERS;
use patchbay_model::{Code, Problem, ProviderId, Timestamp};
use serde_json::{Map, Value};
use url::Url;

use crate::adapters::{self, Adapter};
use crate::capability::{self, Expand, ProviderRow};
use crate::manifest::{BaseUrl, CredentialOption, Manifest, Sunset};
use crate::schema;
use crate::step::{AdapterContext, Identity, Step};

/// The manifests. A provider is added by one file here and one adapter in [`adapters`].
const MANIFESTS: &[(&str, &str)] = &[
    ("identity_openid", include_str!("../catalog/identity_openid.toml")),
    ("ticketing_jira", include_str!("../catalog/ticketing_jira.toml")),
    ("ticketing_mock_ticketing", include_str!("../catalog/ticketing_mock_ticketing.toml")),
    ("ticketing_redmine", include_str!("../catalog/ticketing_redmine.toml")),
];

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
    providers: Vec<Provider>,
    older: Vec<Provider>,
}

impl Catalog {
    /// The providers compiled in.
    ///
    /// # Errors
    /// When a manifest is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, CatalogError> {
        Self::of_manifests(MANIFESTS)
    }

    /// The providers of these manifests: name and text of each. The name is the provider's id, with `@VERSION` behind it
    /// where another version has the bare name.
    ///
    /// # Errors
    /// When a manifest is broken, or two are of one version.
    pub fn of_manifests(manifests: &[(&str, &str)]) -> Result<Self, CatalogError> {
        let mut all = manifests.iter().map(|(name, text)| Provider::parse(name, text)).collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| a.id().cmp(b.id()).then_with(|| version_key(b.version()).cmp(&version_key(a.version()))));
        let mut catalog = Self { providers: Vec::new(), older: Vec::new() };
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

    /// One version of a provider; its newest where that version is no longer kept.
    pub fn version(&self, id: &ProviderId, version: &str) -> Option<&Provider> {
        self.every_version().find(|provider| provider.id() == id && provider.version() == version).or_else(|| self.get(id))
    }

    /// Every version of every provider that is kept.
    pub fn every_version(&self) -> impl Iterator<Item = &Provider> {
        self.providers.iter().chain(&self.older)
    }

    /// Every provider in its newest version.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// The provider with this id.
    pub fn get(&self, id: &ProviderId) -> Option<&Provider> {
        self.find(id.as_str())
    }

    /// The provider with this id, given as text.
    pub fn find(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id().as_str() == id)
    }

    /// The providers of a connector.
    pub fn of(&self, connector: Connector) -> impl Iterator<Item = &Provider> {
        self.providers.iter().filter(move |provider| provider.connector() == connector)
    }
}

/// One provider: its manifest and its adapter.
#[derive(Clone)]
pub struct Provider {
    manifest: Manifest,
    adapter: &'static dyn Adapter,
}

impl Provider {
    fn parse(name: &str, text: &str) -> Result<Self, CatalogError> {
        let manifest: Manifest = toml::from_str(text).map_err(|error| CatalogError::Unreadable { name: name.to_owned(), message: error.to_string() })?;
        manifest
            .check(name.split_once('@').map_or(name, |(id, _)| id))
            .and_then(|()| manifest.named(name))
            .map_err(|message| CatalogError::Inconsistent { name: name.to_owned(), message })?;
        let adapter = adapters::find(manifest.id.as_str()).ok_or_else(|| CatalogError::Inconsistent { name: name.to_owned(), message: "there is no adapter for it".to_owned() })?;
        Ok(Self { manifest, adapter })
    }

    /// All that is known of it.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
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
        self.manifest.sunset.as_ref().and_then(Sunset::from).is_some_and(|from| from <= now)
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
        matches!(self.manifest.base_url, BaseUrl::Local)
    }

    /// Finds where the API of an integration is. `credential` is the `type` of the credential in its configuration, inline or `_id`. Where the configuration says it, this ends at once; where the grant says it
    /// (Jira by consent), a request with the credential is made. The outcome may be kept as long as configuration and credential stay.
    ///
    /// # Errors
    /// `invalid_config` when the configured address is none.
    pub fn locate(&self, config: &Map<String, Value>, credential: Option<&str>) -> Result<Step<Option<Url>>, Problem> {
        match &self.manifest.base_url {
            BaseUrl::Local => Ok(Step::Done(None)),
            BaseUrl::Config(property) => {
                let text = config.get(property).and_then(Value::as_str).unwrap_or_default();
                let url = schema::web_address(text).ok_or_else(|| {
                    Problem::new(
                        Code::InvalidConfig,
                        format!("`{property}` of the {} integration is not an http or https address. Correct it, for example https://example.com.", self.fullname()),
                    )
                    .at_body(&format!("/provider_config/{property}"))
                })?;
                self.adapter.locate(url, credential.and_then(|word| self.credential(word)).map(|option| option.word.as_str()))
            }
        }
    }

    /// Starts the cheapest request that proves the credential.
    ///
    /// # Errors
    /// When the configuration does not suffice.
    pub fn probe(&self, context: &AdapterContext) -> Result<Step<Identity>, Problem> {
        self.adapter.probe(context)
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
        self.adapter.ticketing(operation, context)
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

impl Manifest {
    /// Checks the version in a name such as `ticketing_jira@1`.
    fn named(&self, name: &str) -> Result<(), String> {
        match name.split_once('@') {
            Some((_, version)) if version != self.version => Err(format!("its version is `{}`", self.version)),
            _ => Ok(()),
        }
    }

    /// Checks what the types cannot.
    fn check(&self, name: &str) -> Result<(), String> {
        if self.id.as_str() != name {
            return Err(format!("its id is `{}`", self.id));
        }
        if let BaseUrl::Config(property) = &self.base_url
            && !self.config.iter().any(|known| &known.name == property && known.required)
        {
            return Err(format!("base_url is taken from `{property}`, which is no required property"));
        }
        let consent = self.credential.iter().any(|option| option.kind == CredentialKind::OAuthUser);
        if consent != self.oauth.is_some() {
            return Err("a credential of kind o_auth_user and the oauth table need one another".to_owned());
        }
        for property in &self.config {
            if property.name == "type" || property.name == "credential" || RUNTIME_MEMBERS.contains(&property.name.as_str()) {
                return Err(format!("the property `{}` is reserved", property.name));
            }
        }
        if let Some(sunset) = &self.sunset
            && sunset.from().is_none()
        {
            return Err(format!("the sunset `{}` is no date", sunset.date));
        }
        let known = capability::operations(self.connector);
        for facts in &self.operation {
            if !known.iter().any(|operation| operation.name == facts.name) {
                return Err(format!("the connector has no operation `{}`", facts.name));
            }
            for filter in &facts.filters {
                if let Some(bad) = filter.operators.iter().find(|word| !capability::OPERATORS.contains(&word.as_str())) {
                    return Err(format!("`{bad}` is no operator"));
                }
            }
        }
        Ok(())
    }
}
