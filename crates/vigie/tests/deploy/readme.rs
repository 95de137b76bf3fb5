//! `deploy/README.md` describes the purpose of each file.

use crate::support::{files, read, root};

#[test]
fn it_is_short_and_every_link_leads_somewhere() {
    let text = read("deploy/README.md");
    assert!(text.lines().count() <= 44);
    for link in text.split("](").skip(1) {
        let (target, _) = link.split_once(')').unwrap();
        assert!(root().join("deploy").join(target).exists(), "{target}");
    }
}

#[test]
fn every_folder_is_in_it() {
    let text = read("deploy/README.md");
    for file in files("deploy", |name| !name.ends_with(".md")) {
        let file = file.strip_prefix("deploy/").unwrap();
        let (folder, _) = file.rsplit_once('/').unwrap();
        let mut parents = folder.split('/').scan(String::new(), |path, part| {
            path.push_str(part);
            let link = text.contains(&format!("]({path})")) || text.contains(&format!("]({path}/"));
            path.push('/');
            Some(link)
        });
        assert!(parents.any(|link| link), "{folder}");
    }
}
