//! `backups.*`

use patchbay_engine::backup;
use patchbay_model::{Code, Problem};

use super::{Bare, With};
use crate::request::Json;
use crate::wire::backup::{Backup, BackupSettings, Backups};
use crate::wire::envelope::Answer;

pub(crate) async fn list(call: Bare<'_>) -> Result<Answer<Backups>, Problem> {
    match backup::list(call.engine, call.grant).await {
        Ok(backups) => Ok(Answer::of(backups.into())),
        Err(problem) if problem.code == Code::OperationUnsupported => Ok(Answer::of(Backups::not_offered(problem.message))),
        Err(problem) => Err(problem),
    }
}

pub(crate) async fn create(call: Bare<'_>) -> Result<Answer<Backup>, Problem> {
    backup::create(call.engine, call.grant).await.map(|backup| Answer::of(backup.into()))
}

pub(crate) async fn settings(call: With<'_, Json<BackupSettings>>) -> Result<Answer<Backups>, Problem> {
    backup::change_settings(call.engine, call.grant, call.body.0.into()).await.map(|backups| Answer::of(backups.into()))
}
