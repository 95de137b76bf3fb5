use super::*;
use crate::matcher::parse;

fn draft(matchers: &str, starts_at: Time, ends_at: Time) -> Draft {
    Draft {
        id: None,
        matchers: parse(matchers).unwrap(),
        starts_at,
        ends_at,
        created_by: "ops".into(),
        comment: "deploy".into(),
    }
}

fn set(silences: &mut Silences, now: Time, draft: Draft) -> Result<String, SilenceError> {
    let id = silences.silences.len().to_string();
    silences.set(now, draft, || id)
}

#[test]
fn validated_as_alertmanager_does() {
    let mut silences = Silences::default();
    for (matchers, start, end, expected) in [
        ("", 0, 10, Err(SilenceError::NoMatchers)),
        ("a=\"\"", 0, 10, Err(SilenceError::MatchesEmpty)),
        ("a=~.*,b=\"\"", 0, 10, Err(SilenceError::MatchesEmpty)),
        ("\"\"=x", 0, 10, Err(SilenceError::NoName)),
        ("a=b", 10, 10, Err(SilenceError::Backwards)),
        ("a=b", 0, 4, Err(SilenceError::Past)),
        ("a=b,c=\"\"", 0, 5, Ok("0".into())),
    ] {
        let draft = draft(matchers, start, end);
        assert_eq!(set(&mut silences, 5, draft), expected, "{matchers}");
    }
    assert_eq!(silences.get("0").unwrap().starts_at, 5);
    assert_eq!(silences.expire(5, "x"), Err(SilenceError::NotFound));
}

#[test]
fn mutes_while_active() {
    let mut silences = Silences::default();
    set(&mut silences, 0, draft("a=~b|c", 10, 20)).unwrap();
    let labels = Labels::new([("a", "c")]);
    let muted = |silences: &Silences, now| silences.mutes(&labels, now).count();
    let states: Vec<_> = [9, 10, 20, 21].map(|now| muted(&silences, now)).into();
    assert_eq!(states, [0, 1, 1, 0]);
    silences.expire(15, "0").unwrap();
    assert_eq!(muted(&silences, 15), 0);
    assert_eq!(silences.get("0").unwrap().state(15), State::Expired);
    let other = Labels::new([("a", "d")]);
    assert_eq!(silences.mutes(&other, 10).count(), 0);
}

#[test]
fn a_change_keeps_the_silence_or_begins_a_new_one() {
    let mut silences = Silences::default();
    let id = set(&mut silences, 0, draft("a=b", 0, 10_000)).unwrap();
    let changed = |draft: Draft| Draft {
        id: Some(id.clone()),
        ..draft
    };
    let longer = changed(draft("a=b", 0, 20_000));
    assert_eq!(set(&mut silences, 5_000, longer), Ok(id.clone()));
    assert_eq!(silences.get(&id).unwrap().ends_at, 20_000);
    let other = changed(draft("a=c", 0, 20_000));
    assert_eq!(set(&mut silences, 6_000, other), Ok("1".into()));
    assert_eq!(silences.get(&id).unwrap().state(6_000), State::Expired);
    assert_eq!(silences.get("1").unwrap().starts_at, 6_000);
    let again = changed(draft("a=b", 0, 20_000));
    assert_eq!(set(&mut silences, 7_000, again), Ok("2".into()));
    let unknown = Draft {
        id: Some("x".into()),
        ..draft("a=b", 0, 20_000)
    };
    let refused = set(&mut silences, 7_000, unknown);
    assert_eq!(refused, Err(SilenceError::NotFound));
}

#[test]
fn bounded_and_forgotten() {
    let limits = Limits {
        silences: 2,
        bytes: 20,
    };
    let mut silences = Silences::new(limits);
    for _ in 0..2 {
        set(&mut silences, 0, draft("a=b", 0, 10)).unwrap();
    }
    let refused = set(&mut silences, 0, draft("a=b", 0, 10));
    assert_eq!(refused, Err(SilenceError::TooMany(2)));
    let large = set(&mut silences, 0, draft("a=bbbbbbbbbbbbbbbbb", 0, 10));
    assert_eq!(large, Err(SilenceError::TooLarge(20)));
    let later = RETENTION + 20;
    set(&mut silences, later, draft("a=b", later, later + 10)).unwrap();
    assert_eq!(silences.iter().count(), 1);
}
