//! Recognizes texts by their shape: names of secrets, e-mail addresses, queries, random tokens, UUIDs and numbers.

/// The ends of names whose value is a secret, without `_` and `-`. The value follows after `:` or `=`.
pub(super) const SECRETS: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "cookie",
    "credentials",
    "sessionid",
    "signature",
];
/// The length of the longest of them.
pub(super) const LONGEST_SECRET: usize = "authorization".len();
/// The shortest random text that is recognized as a token.
pub(super) const SHORTEST_TOKEN: usize = 16;

/// Whether a name ends as those of secrets do.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.chars().rev();
    let name = name.take_while(|char| !matches!(char, ':' | '.' | '/' | '&' | '?'));
    let letters = name.filter(|char| !matches!(char, '_' | '-'));
    let end: String = letters.take(LONGEST_SECRET).collect();
    let end = end.to_lowercase();
    let ends_with = |secret: &&str| end.chars().take(secret.len()).eq(secret.chars().rev());
    SECRETS.iter().any(ends_with)
}

/// The place of a query: a `?` that a name and a `=` follow.
pub(super) fn query_in(run: &str) -> Option<usize> {
    run.match_indices('?').map(|(at, _)| at).find(|at| {
        let name = run[at + 1..].split('=').next().unwrap_or_default();
        let is_name = |char: char| {
            char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | '[' | ']' | '$')
        };
        !name.is_empty() && name.len() < run.len() - at - 1 && name.chars().all(is_name)
    })
}

/// The first e-mail address of the text.
pub(super) fn email_in(text: &str) -> Option<(usize, usize)> {
    let signs = ["@", "%40"];
    let mut found = signs.iter().flat_map(|sign| text.match_indices(sign));
    found.find_map(|(at, sign)| {
        let is_local = |char: char| {
            char.is_alphanumeric()
                || matches!(
                    char,
                    '.' | '_' | '%' | '+' | '-' | '#' | '$' | '!' | '/' | '~' | '^'
                )
        };
        let is_domain = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-');
        let local = text[..at].trim_end_matches(is_local).len();
        let domain = &text[at + sign.len()..];
        let domain = &domain[..domain.find(|char| !is_domain(char)).unwrap_or(domain.len())];
        let domain = domain.trim_end_matches(['.', '-']);
        let last = domain.rsplit('.').next().unwrap_or_default();
        // In `pg@8.11.3` a version follows.
        let is_name = last.starts_with(char::is_alphabetic);
        (local < at && is_name).then_some((local, at + sign.len() + domain.len()))
    })
}

/// Whether a text is random rather than made of words: its letters and digits alternate often. Not for hexadecimal numbers.
pub(super) fn is_random(text: &str) -> bool {
    let kind = |char: char| match char {
        _ if char.is_numeric() => 0,
        _ if char.is_uppercase() => 1,
        _ => 2,
    };
    if text.chars().all(|char| char.is_ascii_hexdigit()) {
        return false;
    }
    let (mut length, mut changes, mut has_digit) = (0, 0, false);
    let mut before = None;
    for char in text.chars() {
        let now = char.is_alphanumeric().then(|| kind(char));
        length += usize::from(now.is_some());
        has_digit |= now == Some(0);
        changes += usize::from(before.is_some() && now.is_some() && before != now);
        before = now;
    }
    // Names of classes change the case twice in each of their words.
    let many = if has_digit {
        changes * 4 > length
    } else {
        changes * 20 > length * 9
    };
    length >= SHORTEST_TOKEN && many
}

/// The text after a UUID.
pub(super) fn after_uuid(text: &str) -> Option<&str> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let mut rest = text;
    for (at, length) in GROUPS.into_iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix('-')?;
        }
        let (group, after) = rest.split_at_checked(length)?;
        if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = after;
    }
    (!rest.starts_with(char::is_alphanumeric)).then_some(rest)
}

/// The length of the number, date, time or version with which the text begins; 0 if it does not.
pub(super) fn numbers(text: &str) -> usize {
    let mut end = 0;
    loop {
        let digits = text[end..].trim_start_matches(char::is_numeric);
        let after = text.len() - digits.len();
        if after == end {
            break;
        }
        end = after;
        let mut next = digits.chars();
        let joins = matches!(next.next(), Some('-' | '.' | ':' | '/' | 'T'));
        if joins && next.next().is_some_and(char::is_numeric) {
            end += 1;
        }
    }
    // The end of a time.
    if text[end..].starts_with('Z') && end > 0 {
        end += 1;
    }
    match text[end..].starts_with(char::is_alphanumeric) {
        true => 0,
        false => end,
    }
}
