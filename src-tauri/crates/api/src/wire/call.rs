//! Try it: a connector operation run inside the core, with what went to the provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::problem::Problem;

/// Body of `integrations.call`.
#[derive(Clone, Deserialize, TS, JsonSchema)]
#[ts(optional_fields)]
pub struct CallIntegration {
    /// The operation's name as in capabilities, such as `query_tickets`.
    #[schemars(with = "super::TicketingName")]
    pub operation: String,
    /// Path parameters by name, such as `ticket_id`.
    #[serde(default)]
    #[ts(optional, as = "Option<std::collections::BTreeMap<String, String>>")]
    pub path: std::collections::BTreeMap<String, String>,
    /// `limit`, `cursor`, `filter`, `order`, `meta`.
    #[serde(default, deserialize_with = "crate::request::object")]
    #[ts(optional, as = "Option<ConnectorQuery>")]
    pub query: ConnectorQuery,
    /// The body that the operation takes.
    #[ts(optional, type = "unknown")]
    pub body: Option<serde_json::Value>,
}

/// The query of a connector operation.
#[derive(Clone, Debug, Default, Deserialize, TS, JsonSchema)]
#[serde(default)]
#[ts(optional_fields)]
pub struct ConnectorQuery {
    /// Most rows.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u32>,
    /// The cursor of the page before.
    pub cursor: Option<String>,
    /// `field[op]value`, joined by AND.
    pub filter: Option<Vec<String>>,
    /// `field[asc]` or `field[desc]`.
    pub order: Option<Vec<String>>,
    /// `stats/count(...)`, `api/response(primary)`, `api/response(all)`.
    pub meta: Option<Vec<String>>,
}

/// Result of `integrations.call`.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct CallAnswer {
    /// The status that the Connector API would answer.
    pub status: u16,
    /// Its answer, `{result, cursor?}`; absent when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub answer: Option<serde_json::Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub problem: Option<Problem>,
    /// What went to the provider and what came back, in order; secrets are masked.
    pub exchanges: Vec<Exchange>,
    /// The request as a program would send it, for copying.
    pub request: CallRequestShown,
}

/// The request of a program that does the same.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct CallRequestShown {
    /// HTTP method.
    pub method: String,
    /// Path and query under the server's address.
    pub path: String,
    /// JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub body: Option<serde_json::Value>,
}

/// One request to the provider and its answer, secrets masked.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Exchange {
    /// What was sent.
    pub request: ExchangeRequest,
    /// What came back; absent when nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub response: Option<ExchangeResponse>,
    /// Why nothing came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub error: Option<String>,
}

/// What was sent to the provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ExchangeRequest {
    /// HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Name and value, in order.
    pub headers: Vec<(String, String)>,
    /// The body as text, bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub body: Option<String>,
}

/// What came back from the provider.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct ExchangeResponse {
    /// HTTP status.
    pub status: u16,
    /// Name and value, in order.
    pub headers: Vec<(String, String)>,
    /// The body as text, bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub body: Option<String>,
    /// Milliseconds from sending to the last byte.
    pub duration_ms: u64,
}

impl From<patchbay_engine::http::Exchange> for Exchange {
    fn from(exchange: patchbay_engine::http::Exchange) -> Self {
        Self {
            request: ExchangeRequest { method: exchange.request.method, url: exchange.request.url, headers: exchange.request.headers, body: exchange.request.body },
            response: exchange.response.map(|response| ExchangeResponse {
                status: response.status,
                headers: response.headers,
                body: response.body,
                duration_ms: response.duration_ms,
            }),
            error: exchange.error,
        }
    }
}
