#![allow(clippy::unwrap_used)]
use super::*;
use crate::failures::shapes::{LONGEST_SECRET, SECRETS};
use proptest::prelude::*;

#[test]
fn reasons_of_real_libraries() {
    for (reason, expected) in [
        (
            "connect ECONNREFUSED 127.0.0.1:5432",
            "connect ECONNREFUSED <ip>:<number>",
        ),
        (
            "getaddrinfo ENOTFOUND db-7.internal",
            "getaddrinfo ENOTFOUND db-<number>.internal",
        ),
        (
            "Request failed with status code 503",
            "Request failed with status code 503",
        ),
        (
            "timeout of 5000ms exceeded",
            "timeout of <number>ms exceeded",
        ),
        (
            "duplicate key value violates unique constraint \"users_email_key\": Key (email)=(ada@example.org) already exists.",
            "duplicate key value violates unique constraint \"users_email_key\": Key (email)=(<email>) already exists.",
        ),
        (
            "Duplicate entry 'ada@example.org' for key 'users.email'",
            "Duplicate entry '<email>' for key 'users.email'",
        ),
        (
            "E11000 duplicate key error collection: shop.orders index: _id_ dup key: { _id: ObjectId('507f1f77bcf86cd799439011') }",
            "E<number> duplicate key error collection: shop.orders index: _id_ dup key: { _id: ObjectId('<hex>') }",
        ),
        (
            "Unexpected token < in JSON at position 0, line 1 column 5",
            "Unexpected token < in JSON at position <number>, line 1 column 5",
        ),
        (
            "SequelizeUniqueConstraintError: Validation error",
            "SequelizeUniqueConstraintError: Validation error",
        ),
        (
            "ER_NO_REFERENCED_ROW_2: Cannot add a child row",
            "ER_NO_REFERENCED_ROW_<number>: Cannot add a child row",
        ),
        (
            "job stalled more than allowable limit",
            "job stalled more than allowable limit",
        ),
        (
            "Order 4711 of user_42 not found",
            "Order <number> of user_<number> not found",
        ),
        (
            "no such charge: ch_3MmlLrLkdIwHu7ix0snN0B15",
            "no such charge: <token>",
        ),
        ("invalid account acct_1a2b3c", "invalid account acct_<id>"),
        (
            "due 2026-11-30T06:20:00.123Z, now 07:15",
            "due <number>, now <number>",
        ),
        (
            "Cannot read properties of undefined (reading 'id')",
            "Cannot read properties of undefined (reading 'id')",
        ),
        (
            "call +33 6 12 34 56 78",
            "call +<number> <number> <number> <number> <number> <number>",
        ),
        ("balance -12.50 €", "balance -<number> €"),
        ("رقم ٤٢ غير موجود", "رقم <number> غير موجود"),
        ("kein Nutzer müller@bücher.example", "kein Nutzer <email>"),
        ("to ada%40example.org", "to <email>"),
        (
            "fe80::1 and [::1]:80 and 10.0.0.7.",
            "<ip> and [<ip>]:<number> and <ip>.",
        ),
        ("at 0x7f3a and 0xA", "at <hex> and <hex>"),
    ] {
        assert_eq!(redact(reason), expected);
    }
}

#[test]
fn secrets_are_replaced() {
    for (reason, expected) in [
        (
            "login failed for redis://bob:hunter@cache:6379/0",
            "login failed for redis://***@cache:<number>/<number>",
        ),
        ("password=hunter, retry", "password=*** retry"),
        ("wrong password: hunter", "wrong password: ***"),
        (
            "{\"apiKey\":\"hunter\",\"user\":\"ada\"}",
            "{\"apiKey\":\"***\",\"user\":\"ada\"}",
        ),
        ("{ client_secret: 'hunter' }", "{ client_secret: '***' }"),
        (
            "Authorization: Bearer hunter rejected",
            "Authorization: Bearer *** rejected",
        ),
        ("Authorization: Basic aHVudGVy", "Authorization: Basic ***"),
        ("token hunter", "token hunter"),
        (
            "bad jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVPmB92K27u",
            "bad jwt <token>",
        ),
        (
            "key AKIAIOSFODNN7EXAMPLE is unknown",
            "key <token> is unknown",
        ),
        ("id 123e4567-e89b-12d3-a456-426614174000!", "id <uuid>!"),
    ] {
        assert_eq!(redact(reason), expected);
    }
}

#[test]
fn the_longest_name_of_a_secret_is_recognized() {
    let longest = SECRETS.iter().map(|secret| secret.len()).max();
    assert_eq!(longest, Some(LONGEST_SECRET));
    assert!(
        SECRETS
            .iter()
            .all(|secret| is_secret(&format!("my_{secret}")))
    );
}

#[test]
fn urls_keep_their_place() {
    for (reason, expected) in [
        (
            "GET https://api.example.org/v1/users/42/mails?email=ada&tags=[a,b] failed",
            "GET https://api.example.org/v<number>/users/<number>/mails?<query> failed",
        ),
        (
            "(http://10.1.2.3:8080/a#section)",
            "(http://<ip>:<number>/a?<query>",
        ),
        (
            "\"https://example.org/a\" is gone",
            "\"https://example.org/a\" is gone",
        ),
        (
            "/search?q=ada answered 404",
            "/search?<query> answered <number>",
        ),
        ("really? yes", "really? yes"),
    ] {
        assert_eq!(redact(reason), expected);
    }
}

/// The names of the placeholders.
fn without_placeholders(text: &str) -> String {
    let all = [EMAIL, HEX, ID, IP, NUMBER, QUERY, TOKEN, UUID];
    all.iter()
        .fold(text.to_owned(), |text, one| text.replace(one, ""))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_digit_is_left(text in "(\\PC|[0-9a-zA-Z@:/.?=&% _\"'-]){0,80}") {
        let clean = redact(&text);
        let kept = clean.split(|char: char| !char.is_numeric()).filter(|number| !number.is_empty());
        let words = ["status", "code", "http", "line", "column"];
        let has_word = words.iter().any(|word| text.to_lowercase().contains(word));
        prop_assert!(has_word || kept.count() == 0, "{clean:?}");
    }

    #[test]
    fn redacted_text_stays_the_same(text in "(\\PC|[0-9a-zA-Z@:/.?=&% _\"'-]){0,80}") {
        let once = redact(&text);
        prop_assert_eq!(without_placeholders(&redact(&once)), without_placeholders(&once));
    }

    #[test]
    fn words_are_kept(text in "[a-z]{1,12}( [a-z]{1,12}){0,8}") {
        prop_assume!(!text.contains("bearer"));
        prop_assert_eq!(redact(&text), text);
    }

    /// In any surrounding text.
    #[test]
    fn what_identifies_is_replaced(
        before in "[a-z ]{0,12}[ (\"'=,]",
        after in "[ )\"',;.!][a-z ]{0,12}",
        local in "[a-z][a-z0-9._+-]{6,12}[a-z]",
        domain in "[a-z]{3,9}\\.(com|co\\.uk|example)",
        random in "[a-z]{2}[0-9]{2}[A-Z]{2}[a-z0-9A-Z]{20,40}",
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        hex in "[0-9a-f]{3}[0-9][0-9a-f]{8,36}",
        number in "[1-9][0-9]{3,15}",
        secret in "[a-z]{5,20}",
    ) {
        let email = format!("{local}@{domain}");
        for (text, hidden) in [
            (email, local.as_str()),
            (format!("https://{secret}:{secret}q@example.org/x"), &*format!("{secret}q")),
            (format!("https://example.org/x?name={secret}q"), &*format!("{secret}q")),
            (format!("password: {secret}q"), &*format!("{secret}q")),
            (format!("Bearer {secret}q"), &*format!("{secret}q")),
            (random.clone(), &random),
            (uuid.clone(), &uuid[9..]),
            (hex.clone(), &hex),
            (number.clone(), &number),
        ] {
            let clean = redact(&format!("{before}{text}{after}"));
            prop_assert!(!clean.contains(hidden), "{hidden:?} in {clean:?}");
        }
    }
}
