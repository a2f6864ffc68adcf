//! Backups of a local store, on the wire.

use patchbay_engine::backup::{self, Made};
use patchbay_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The backups of the store, and how it stands with them.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Backups {
    /// Whether Patchbay makes backups of this store. If not, all but `reason` is absent or empty.
    pub offered: bool,
    /// Why none are made here, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// Where they lie on the machine that has the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
    /// What is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub settings: Option<BackupSettings>,
    /// Newest first.
    pub backups: Vec<Backup>,
    /// When the next one is due; absent when they are not made by themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next_due: Option<Timestamp>,
    /// Why the last attempt failed; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failure: Option<BackupFailure>,
}

/// A backup that is whole.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct Backup {
    /// Name of its file.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it was made by hand: such a one stays until somebody removes its file.
    pub by_hand: bool,
    /// Size of its file.
    pub bytes: u64,
}

/// How many backups are kept.
#[derive(Clone, Debug, Serialize, Deserialize, TS, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupSettings {
    /// Whether they are made by themselves, once a day.
    pub enabled: bool,
    /// The newest backup of each of so many days is kept.
    #[schemars(range(min = 1, max = 1000))]
    pub daily: u32,
    /// The newest backup of each of so many weeks is kept.
    #[schemars(range(min = 0, max = 1000))]
    pub weekly: u32,
}

/// Why the last attempt failed.
#[derive(Clone, Debug, Serialize, TS, JsonSchema)]
pub struct BackupFailure {
    /// When.
    pub at: Timestamp,
    /// Code of the problem.
    pub code: String,
    /// What happened, and what to do.
    pub message: String,
    /// How many attempts in a row have failed.
    pub count: u32,
}

impl Backups {
    /// The answer of a store of which no backups are made here.
    pub(crate) fn not_offered(reason: String) -> Self {
        Self { offered: false, reason: Some(reason), folder: None, settings: None, backups: Vec::new(), next_due: None, failure: None }
    }
}

impl From<backup::Backups> for Backups {
    fn from(all: backup::Backups) -> Self {
        Self {
            offered: true,
            reason: None,
            folder: Some(all.folder.display().to_string()),
            settings: Some(BackupSettings { enabled: all.settings.enabled, daily: all.settings.daily, weekly: all.settings.weekly }),
            backups: all.backups.into_iter().map(Backup::from).collect(),
            next_due: all.next_due,
            failure: all.failure.map(|failure| BackupFailure { at: failure.at, code: failure.code, message: failure.message, count: failure.count }),
        }
    }
}

impl From<backup::Backup> for Backup {
    fn from(backup: backup::Backup) -> Self {
        Self { name: backup.name, created_at: backup.created_at, by_hand: backup.made == Made::ByHand, bytes: backup.bytes }
    }
}

impl From<BackupSettings> for backup::Settings {
    fn from(settings: BackupSettings) -> Self {
        Self { enabled: settings.enabled, daily: settings.daily, weekly: settings.weekly }
    }
}
