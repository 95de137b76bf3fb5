#![allow(clippy::unwrap_used)]
use super::*;
use crate::sql::tls::Demand;
use vigie_tls::Verify;

fn parse(text: &str) -> Result<Login, UrlError> {
    Login::parse(text, None).map(|(login, _)| login)
}

fn places(text: &str) -> String {
    let login = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    format!("{} {} {}", login.places(), login.user, login.database)
}

#[test]
fn both_forms_name_servers() {
    for (text, expected) in [
        ("postgres://u:p@db:5433/game", "db:5433 u game"),
        ("postgresql://u@db", "db:5432 u u"),
        ("postgres://u:p@[::1]/game", "::1:5432 u game"),
        ("postgres://u@%2Frun%2Fpg/game", "/run/pg u game"),
        ("postgres://u@%2Frun%2Fpg:7/game", "/run/pg u game"),
        (
            "postgresql://u:p@/db?host=/cloudsql/a:b:c",
            "/cloudsql/a:b:c u db",
        ),
        ("postgresql:///game?host=db&user=u", "db:5432 u game"),
        ("postgresql://u@", "localhost:5432 u u"),
        ("postgresql://?user=u&dbname=game", "localhost:5432 u game"),
        (
            "postgres://u@a:1,[::1],c/game",
            "a:1,::1:5432,c:5432 u game",
        ),
        ("postgres://u@/game?host=a,b&port=1,2", "a:1,b:2 u game"),
        ("postgres://u@/game?host=a,/run&port=7", "a:7,/run u game"),
        ("postgres://u@db/a%2Fb%20c", "db:5432 u a/b c"),
        ("postgres://u@db/game?hostaddr=10.0.0.1", "db:5432 u game"),
        (
            "host=/cloudsql/x dbname=app user=u password='a b'",
            "/cloudsql/x u app",
        ),
        (" user = u  host=a,b port=1,2\n", "a:1,b:2 u u"),
        ("user=u hostaddr=::1", "::1:5432 u u"),
        (r"user='o\'neil' dbname=a\ b host=db", "db:5432 o'neil a b"),
    ] {
        assert_eq!(places(text), expected, "{text}");
    }
    let (nameless, _) = Login::parse("postgres://db", Some("me".into())).unwrap();
    assert_eq!(
        (nameless.user, nameless.database),
        ("me".into(), "me".into())
    );
    let quoted = parse(r"host=/cloudsql/x user=u password='a b\\' dbname=d").unwrap();
    assert_eq!(quoted.password.as_deref(), Some(r"a b\"));
    let own = parse("postgres://u@%2Frun%2Fpg:7/game").unwrap();
    let Place::Socket { path, .. } = &own.servers[0].place else {
        panic!("not a socket");
    };
    assert_eq!(path.to_str(), Some("/run/pg/.s.PGSQL.7"));
}

#[test]
fn tls_is_parsed_in_every_spelling() {
    use Demand::{Always, IfPossible, IfRefused, Never};
    use Verify::{Chain, ChainAndName, ChainIfPresent, Nothing};
    for (query, demand, verify) in [
        ("", IfPossible, Nothing),
        (
            "sslmode=disable&schema=x&connection_limit=5",
            Never,
            Nothing,
        ),
        ("sslmode=allow", IfRefused, Nothing),
        ("sslmode=prefer", IfPossible, Nothing),
        ("sslmode=require", Always, Nothing),
        (
            "sslmode=require&sslrootcert=/ca.pem",
            Always,
            ChainIfPresent,
        ),
        (
            "sslmode=prefer&sslrootcert=/ca.pem",
            IfPossible,
            ChainIfPresent,
        ),
        ("sslmode=verify-ca&sslrootcert=/ca.pem", Always, Chain),
        ("sslmode=verify-full", Always, ChainAndName),
        ("sslrootcert=system", Always, ChainAndName),
        (
            "sslrootcert=system&sslmode=verify-full",
            Always,
            ChainAndName,
        ),
        ("sslmode=no-verify", Always, Nothing),
        ("ssl=true", Always, ChainAndName),
        ("ssl=true&sslmode=no-verify", Always, Nothing),
        ("ssl=0", Never, Nothing),
        ("sslaccept=strict&sslcert=/ca.pem", IfPossible, ChainAndName),
        (
            "sslmode=require&sslaccept=accept_invalid_certs",
            Always,
            Nothing,
        ),
    ] {
        let policy = parse(&format!("postgres://u@h/d?{query}")).unwrap().tls;
        assert_eq!(
            (policy.demand, policy.tls.verify),
            (demand, verify),
            "{query}"
        );
    }
    let roots = parse("postgres://u@h/d?sslrootcert=system")
        .unwrap()
        .tls
        .tls
        .roots;
    assert_eq!(roots, None);
    let client = parse("postgres://u@h/d?sslcert=/c&sslkey=/k").unwrap();
    assert!(client.tls.tls.client.is_some() && client.tls.tls.roots.is_none());
}

#[test]
fn other_parameters_are_errors_that_name_them() {
    for (query, problem) in [
        ("sslcrl=hunter2", "sslcrl is not supported"),
        ("require_auth=none", "require_auth is not supported"),
        (
            "sslmode=hunter2",
            "sslmode has a value that is not supported",
        ),
        ("ssl=hunter2", "ssl has a value that is not supported"),
        (
            "sslaccept=hunter2",
            "sslaccept has a value that is not supported",
        ),
        (
            "gssencmode=require",
            "gssencmode has a value that is not supported",
        ),
        (
            "sslnegotiation=direct",
            "sslnegotiation has a value that is not supported",
        ),
        (
            "target_session_attrs=x",
            "target_session_attrs has a value that is not supported",
        ),
        (
            "channel_binding=x",
            "channel_binding has a value that is not supported",
        ),
        ("a%20b=1", "? is not supported"),
        ("sslkey=/k", "sslkey is given without sslcert"),
        ("hostaddr=db", "hostaddr is not an IP address"),
        (
            "sslkey=/k&sslcert=/c&sslpassword=hunter2",
            "sslpassword is not supported: a key without a password is needed",
        ),
        (
            "sslrootcert=system&sslmode=require",
            "sslmode must be verify-full, as in libpq, because sslrootcert is system",
        ),
        (
            "service=app",
            "service is not supported: Vigie reads no service or password file of libpq, so host, user and password \
             must stand in the address",
        ),
    ] {
        let error = parse(&format!("postgres://u@h/d?{query}")).err().unwrap();
        assert_eq!(error.to_string(), format!("the parameter {problem}"));
    }
    for (text, problem) in [
        ("postgres://h/d", "names no user"),
        ("dbname=d", "names no user"),
        ("host=a,b user=u port=1,2,3", "different numbers of servers"),
        ("host=h user=u port=x", "the port is not a number"),
        ("host=h user=u port=0", "the port is not a number"),
        ("host=h user=u password='a b", "not closed"),
        ("host=h user", "not followed by ="),
        ("host=@abstract user=u", "abstract namespace"),
        ("postgres:u@h", "there is no //"),
        ("service=app", "service is not supported"),
    ] {
        let error = parse(text).err().unwrap().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    let prisma = "schema=public&connection_limit=5&pgbouncer=true&pool_timeout=9&socket_timeout=3";
    assert_eq!(places(&format!("postgres://u@h/d?{prisma}")), "h:5432 u d");
    let login = parse("postgres://u@h/d?options=-c%20search_path%3Dx").unwrap();
    assert_eq!(login.options.as_deref(), Some("-c search_path=x"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_accepted_or_refused_without_its_password(
        before in ".{0,20}",
        password in "[A-Z]{8}",
        after in ".{0,20}",
    ) {
        for text in [
            format!("postgres://u:{password}@{after}"),
            format!("postgres://u:{before}{password}@{after}"),
            format!("user=u password={password} {after}"),
        ] {
            match parse(&text) {
                Ok(login) => assert!(!login.places().contains(&password)),
                Err(error) => assert!(!error.to_string().contains(&password)),
            }
        }
    }
}
