//! Calendar dates in UTC.

/// A date and time of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    days: i64,
}

impl Date {
    /// The date and time `seconds` after the epoch.
    ///
    /// The algorithm is Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms"): eras of 400 years that start
    /// on 1 March.
    pub(crate) fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            days,
        }
    }

    /// 0 for Sunday.
    pub(crate) fn day_of_week(self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// 1 to 366.
    pub(crate) fn day_of_year(self) -> i64 {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap = i64::from(self.month > 2 && self.is_leap_year());
        before[(self.month - 1) as usize] + self.day + leap
    }

    /// 28 to 31.
    pub(crate) fn days_in_month(self) -> i64 {
        match self.month {
            2 => 28 + i64::from(self.is_leap_year()),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    fn is_leap_year(self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other() {
        let mut before = Date::of(-86_400 * 800_000);
        for day in -799_999..800_000 {
            let date = Date::of(86_400 * day);
            let next_month = before.day == before.days_in_month();
            assert_eq!(date.day, if next_month { 1 } else { before.day + 1 });
            let next_year = next_month && before.month == 12;
            assert_eq!(date.year, before.year + i64::from(next_year));
            assert_eq!(
                date.day_of_year(),
                if next_year {
                    1
                } else {
                    before.day_of_year() + 1
                }
            );
            assert_eq!(date.day_of_week(), (before.day_of_week() + 1) % 7);
            before = date;
        }
    }

    #[test]
    fn known_moments() {
        let date = Date::of(1_000_000_000);
        assert_eq!((date.year, date.month, date.day), (2001, 9, 9));
        assert_eq!((date.hour, date.minute, date.second), (1, 46, 40));
        assert_eq!(date.day_of_week(), 0);
        Date::of(i64::MAX);
        Date::of(i64::MIN);
    }
}
