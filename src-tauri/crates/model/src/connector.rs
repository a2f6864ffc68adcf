//! Connectors: one unified API per category.

pub mod ticketing;

use serde::{Deserialize, Serialize};

macro_rules! connectors {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $segment:literal, $fullname:literal;)+) => {
        /// A category of providers with one unified API (synqly-wire.md section 11).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ts_rs::TS, schemars::JsonSchema)]
        pub enum Connector {$(
            $(#[$doc])*
            #[serde(rename = $id)]
            $variant,
        )+}

        impl Connector {
            /// Every connector.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The category id on the wire.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $id),+ } }
            /// The segment after `/v1/`.
            pub const fn path_segment(self) -> &'static str { match self { $(Self::$variant => $segment),+ } }
            /// The name for people.
            pub const fn fullname(self) -> &'static str { match self { $(Self::$variant => $fullname),+ } }
        }
    };
}

connectors! {
    /// Bookkeeping.
    Accounting = "accounting", "accounting", "Accounting";
    /// Application security findings.
    Appsec = "appsec", "app-sec", "Application Security";
    /// Device and software inventory.
    Assets = "assets", "assets", "Assets";
    /// Conversations.
    Chat = "chat", "chat", "Chat";
    /// Cloud security events.
    Cloudsecurity = "cloudsecurity", "cloudsecurity", "Cloud Security";
    /// Customers and deals.
    Crm = "crm", "crm", "Customer Relationship Management";
    /// Customer-defined providers.
    Custom = "custom", "custom", "Custom";
    /// Endpoint detection and response.
    Edr = "edr", "edr", "Endpoint Detection and Response";
    /// Email security.
    Emailsecurity = "emailsecurity", "email-security", "Email Security";
    /// Endpoint management.
    Endpointmanagement = "endpointmanagement", "endpoint-management", "Endpoint Management";
    /// Governance, risk and compliance.
    Grc = "grc", "grc", "Governance, Risk and Compliance";
    /// Users, groups and sign-ins.
    Identity = "identity", "identity", "Identity";
    /// Incidents and who is on call.
    Incidentresponse = "incidentresponse", "incident-response", "Incident Response";
    /// Network security.
    Networksecurity = "networksecurity", "network-security", "Network Security";
    /// Messages to people.
    Notifications = "notifications", "notifications", "Notifications";
    /// Security awareness training.
    Securityawareness = "securityawareness", "security-awareness", "Security Awareness";
    /// Security information and event management.
    Siem = "siem", "siem", "SIEM";
    /// Places that events are written to.
    Sink = "sink", "sink", "Sink";
    /// Files.
    Storage = "storage", "storage", "Storage";
    /// Threat intelligence.
    Threatintel = "threatintel", "threat-intel", "Threat Intelligence";
    /// Tickets.
    Ticketing = "ticketing", "ticketing", "Ticketing";
    /// Vulnerability findings.
    Vulnerabilities = "vulnerabilities", "vulnerabilities", "Vulnerabilities";
}

impl std::str::FromStr for Connector {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|connector| connector.as_str() == text).ok_or(())
    }
}
