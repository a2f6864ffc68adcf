//! Manifests good and bad: what is read, what is refused and with which words.

use std::borrow::Cow;

use patchbay_model::ProviderId;
use patchbay_model::consent::ConsentRoute;
use patchbay_providers::manifest::credential::Flow;
