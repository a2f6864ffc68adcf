//! `deadlines.*`

use patchbay_engine::deadline;
use patchbay_model::Problem;

use super::{Bare, Call};
use crate::calendar;
use crate::reply::CalendarFile;
use crate::request::{DeadlinesOf, NoBody};
use crate::wire::deadline::{Deadlines, ExportedCalendar};
use crate::wire::envelope::Answer;

pub(crate) async fn list(call: Call<'_, DeadlinesOf, NoBody>) -> Result<Answer<Deadlines>, Problem> {
    deadline::list(call.engine, call.grant, call.query.0).await.map(|deadlines| Answer::of(deadlines.into()))
}

pub(crate) async fn feed(call: Bare<'_>) -> Result<CalendarFile, Problem> {
    let content = calendar::of(call.engine, call.grant).await?;
    Ok(CalendarFile(ExportedCalendar { file_name: calendar::FILE_NAME.to_owned(), content_type: calendar::MEDIA_TYPE.to_owned(), content }))
}
