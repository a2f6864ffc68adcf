//! Deadlines as a calendar (RFC 5545): an event of a whole day for each that a person has to see to.

use std::time::Duration;

use icalendar::{Alarm, Calendar, Component, Event, EventLike, Property};
use patchbay_engine::{Engine, ManagementGrant, deadline, organization};
use patchbay_model::deadline::Deadline;
use patchbay_model::{Operation, Problem, Timestamp};

/// Media type of a calendar.
pub const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";
/// A name to save it under.
pub const FILE_NAME: &str = "patchbay-deadlines.ics";

/// How long before its day a calendar reminds of a deadline.
const AHEAD: chrono::Duration = chrono::Duration::days(7);
/// How often a calendar that subscribes should look.
const AGAIN: chrono::Duration = chrono::Duration::hours(12);
/// How long what has passed stays in the calendar: somebody may look for it. Then its event goes.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// The calendar of everything that a person has to see to, within the caller's reach.
///
/// # Errors
/// `permission_denied`; problems of the store.
pub async fn of(engine: &Engine, grant: &ManagementGrant) -> Result<String, Problem> {
    let deadlines = deadline::everything_for_people(engine, grant).await?;
    let name = match grant.require(Operation::OrganizationGet, None) {
        Ok(()) => format!("Deadlines of {}", organization::get(engine, grant).await?.fullname),
        Err(_) => "Deadlines".to_owned(),
    };
    let now = engine.now();
    let kept = now.minus(KEPT);
    let items: Vec<Deadline> = deadlines.items.into_iter().filter(|deadline| deadline.at >= kept).collect();
    write(&name, &items, now)
}

/// Writes the calendar.
fn write(name: &str, deadlines: &[Deadline], now: Timestamp) -> Result<String, Problem> {
    let mut calendar = Calendar::empty();
    calendar.append_property(("VERSION", "2.0"));
    calendar.append_property(("PRODID", "-//Patchbay//Deadlines//EN"));
    calendar.append_property(("CALSCALE", "GREGORIAN"));
    calendar.append_property(("METHOD", "PUBLISH"));
    calendar.name(name);
    calendar.ttl(&AGAIN);
    for deadline in deadlines {
        calendar.push(event(deadline, now));
    }
    let mut text = String::new();
    std::fmt::Write::write_fmt(&mut text, format_args!("{calendar}")).map_err(|_| Problem::internal("a calendar could not be written"))?;
    Ok(text)
}

fn event(deadline: &Deadline, now: Timestamp) -> Event {
    let object = &deadline.object;
    let whose = object.account.as_ref().map(|(_, name)| format!(" ({name})")).unwrap_or_default();
    let summary = format!("{} ends: {}{whose}", deadline.what, object.name);
    let stamp = now.utc().format("%Y%m%dT%H%M%SZ").to_string();
    let uid = format!("{}@patchbay", deadline.id);
    // Times and ids are ours: what is not given is made up by the library, differently each time.
    let mut alarm = Alarm::display(&summary, -AHEAD);
    alarm.append_property(Property::new("DTSTAMP", &stamp));
    alarm.append_property(Property::new("UID", format!("alarm-{uid}")));
    let mut event = Event::new();
    event
        .append_property(Property::new("DTSTAMP", &stamp))
        .uid(&uid)
        .summary(&summary)
        .description(&format!("{}\n{} at {}.", deadline.next_step, deadline.what, deadline.at.utc().format("%Y-%m-%d %H:%M UTC")))
        .append_property(Property::new("CATEGORIES", deadline.kind.as_str()))
        // The day is nobody's appointment.
        .append_property(Property::new("TRANSP", "TRANSPARENT"));
    // Without an end the event is that one day (RFC 5545 section 3.6.1).
    event.starts(deadline.at.utc().date_naive());
    event.alarm(alarm);
    event.done()
}

#[cfg(test)]
mod tests {
    use patchbay_model::deadline::{Actor, DeadlineKind, DeadlineObject};

    use super::*;

    fn deadline() -> Deadline {
        Deadline {
            id: "secret-main-1".to_owned(),
            kind: DeadlineKind::Secret,
            what: "Client secret".to_owned(),
            object: DeadlineObject { noun: "provider_app", id: "1".to_owned(), name: "Jira; for, all\nof us".to_owned(), account: None, integration: None, provider: None },
            at: "2027-02-16T23:30:00Z".parse().unwrap(),
            renew_at: None,
            who: Actor::Person,
            next_step: "Make a new client secret at the provider and enter it before then.".to_owned(),
        }
    }

    fn lines(text: &str) -> Vec<String> {
        // RFC 5545 section 3.1: a line that begins with a blank goes on with the one before.
        text.replace("\r\n ", "").split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn an_event_is_a_day_with_an_alarm_a_week_before() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let text = write("Deadlines of Acme", &[deadline()], now).unwrap();
        let lines = lines(&text);
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "DTSTAMP:20261122T100000Z",
            "UID:secret-main-1@patchbay",
            "DTSTART;VALUE=DATE:20270216",
            r"SUMMARY:Client secret ends: Jira\; for\, all\nof us",
            "CATEGORIES:secret",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT604800S",
            "END:VALARM",
            "END:VEVENT",
            "END:VCALENDAR",
        ] {
            assert!(lines.iter().any(|one| one == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("DTEND"), "the day alone: {text}");
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "lines are folded: {text}");
        assert!(!text.replace("\r\n", "").contains('\n'), "no line ends otherwise");
        assert_eq!(write("Deadlines of Acme", &[deadline()], now).unwrap(), text, "the same at every reading");
    }

    #[test]
    fn a_calendar_of_nothing_is_one_all_the_same() {
        let text = write("Deadlines", &[], "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.trim_end().ends_with("END:VCALENDAR") && !text.contains("VEVENT"), "{text}");
    }
}
