//! Which backups have served their time.

use super::{Backup, Made, Settings};

const DAY: i64 = 86_400_000_000;

/// The backups that may go: those made by themselves that are neither the newest of one of the last days with a backup nor
/// the newest of one of the last weeks with one. The newest of all always stays. Those made by hand are never among them.
pub(super) fn superfluous<'a>(backups: &'a [Backup], settings: &Settings) -> Vec<&'a Backup> {
    let mut daily: Vec<&Backup> = backups.iter().filter(|backup| backup.made == Made::Daily).collect();
    daily.sort_by_key(|backup| std::cmp::Reverse(backup.created_at));
    let day = |backup: &Backup| backup.created_at.unix_micros().div_euclid(DAY);
    // 1970-01-01 was a Thursday.
    let week = |backup: &Backup| (day(backup) + 3).div_euclid(7);
    let days = newest_of_each(&daily, settings.daily.max(1), day);
    let weeks = newest_of_each(&daily, settings.weekly, week);
    let kept = |backup: &&Backup| days.contains(&backup.name.as_str()) || weeks.contains(&backup.name.as_str());
    daily.into_iter().filter(|backup| !kept(backup)).collect()
}

/// Names of the newest backup in each of the last `most` periods that have one, of a list with the newest first.
fn newest_of_each<'a>(backups: &[&'a Backup], most: u32, period: impl Fn(&Backup) -> i64) -> Vec<&'a str> {
    let mut kept: Vec<(i64, &str)> = Vec::new();
    for backup in backups {
        let period = period(backup);
        let begun = kept.last().is_some_and(|(last, _)| *last == period);
        if !begun && kept.len() < usize::try_from(most).unwrap_or(usize::MAX) {
            kept.push((period, &backup.name));
        }
    }
    kept.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use patchbay_model::Timestamp;

    use super::*;

    fn backup(at: Timestamp, made: Made) -> Backup {
        Backup { name: format!("{at}{made:?}"), created_at: at, made, bytes: 1 }
    }

    fn remaining(backups: &[Backup], settings: &Settings) -> Vec<String> {
        let gone: Vec<String> = superfluous(backups, settings).into_iter().map(|backup| backup.name.clone()).collect();
        backups.iter().filter(|backup| !gone.contains(&backup.name)).map(|backup| backup.created_at.to_string()[..10].to_owned()).collect()
    }

    #[test]
    fn a_quarter_of_a_year_leaves_seven_days_and_four_weeks() {
        let first: Timestamp = "2026-08-01T09:00:00Z".parse().unwrap();
        let mut kept: Vec<Backup> = Vec::new();
        let settings = Settings::default();
        for number in 0..92_u64 {
            kept.push(backup(first.plus(Duration::from_secs(number * 86_400)), Made::Daily));
            let gone: Vec<String> = superfluous(&kept, &settings).into_iter().map(|backup| backup.name.clone()).collect();
            kept.retain(|backup| !gone.contains(&backup.name));
            assert!(kept.len() <= 11, "day {number}: {} are kept", kept.len());
        }
        // The last is a Saturday: its week, and the three Sundays before, of which one is among the seven days.
        let days: Vec<String> = kept.iter().map(|backup| backup.created_at.to_string()[..10].to_owned()).collect();
        assert_eq!(days, ["2026-10-11", "2026-10-18", "2026-10-25", "2026-10-26", "2026-10-27", "2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31"]);
    }

    #[test]
    fn a_gap_costs_nothing_because_only_days_with_a_backup_count() {
        let at = |text: &str| backup(text.parse().unwrap(), Made::Daily);
        let old = [at("2024-01-01T00:00:00Z"), at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z"), at("2026-01-01T12:00:00Z")];
        assert_eq!(remaining(&old, &Settings { daily: 2, weekly: 0, enabled: true }), ["2025-01-01", "2026-01-01"]);
        assert_eq!(remaining(&old, &Settings { daily: 0, weekly: 0, enabled: true }), ["2026-01-01"], "the newest always stays");
    }

    #[test]
    fn those_made_by_hand_neither_go_nor_push_others_out() {
        let by_hand: Vec<Backup> = (1..30).map(|day| backup(format!("2026-01-{day:02}T10:00:00Z").parse().unwrap(), Made::ByHand)).collect();
        let mut all = by_hand.clone();
        all.push(backup("2025-12-31T10:00:00Z".parse().unwrap(), Made::Daily));
        assert!(superfluous(&all, &Settings { daily: 1, weekly: 0, enabled: true }).is_empty());
    }

    #[test]
    fn the_order_of_the_list_does_not_matter() {
        let mut backups: Vec<Backup> = (1..29).map(|day| backup(format!("2026-02-{day:02}T10:00:00Z").parse().unwrap(), Made::Daily)).collect();
        let mut forward = remaining(&backups, &Settings::default());
        backups.reverse();
        let mut backward = remaining(&backups, &Settings::default());
        forward.sort();
        backward.sort();
        assert_eq!(forward, backward);
    }
}
