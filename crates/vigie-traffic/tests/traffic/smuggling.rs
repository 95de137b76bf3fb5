//! Request smuggling by name: each variant is refused, or reaches Node's server as it was parsed here.

use crate::node::{Node, Transport};
use crate::parsed::{self, Parsed};
use crate::variants::{HIDDEN, Variant, variants};

#[test]
fn the_variants_have_different_names() {
    assert_eq!(HIDDEN.len(), 33, "as the lengths of the variants assume");
    let mut names: Vec<_> = variants().iter().map(|variant| variant.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 100, "{all}");
}

#[tokio::test]
async fn every_variant_is_refused_or_received_as_parsed() {
    let variants = variants();
    let parse = |variant: &Variant| parsed::parse(&variant.input);
    let parsed: Vec<Parsed> = variants.iter().map(parse).collect();
    for (variant, parsed) in variants.iter().zip(&parsed) {
        let (name, requests) = (variant.name, parsed.messages.len());
        match parsed.refused {
            None => assert_eq!(Some(requests), variant.passes, "{name}"),
            Some(fault) => {
                assert_eq!(format!("{fault:?}"), variant.fault, "{name}");
                // At most the request that precedes the hidden one.
                assert!(requests <= 1, "{name}");
            }
        }
    }
    let passed: Vec<&[u8]> = parsed.iter().map(|parsed| &parsed.passed[..]).collect();
    let mut server = Node::start();
    for insecure in [false, true] {
        let received = server.parse(&passed, insecure, Transport::Tcp).await;
        for ((variant, ours), theirs) in variants.iter().zip(&parsed).zip(&received) {
            let name = variant.name;
            if let Err(difference) = parsed::compare(ours, theirs) {
                panic!("{name}, insecure {insecure}: {difference}");
            }
            let messages = theirs["messages"].as_array().unwrap();
            let hidden = messages
                .iter()
                .any(|message| message["target"] == "/hidden");
            // Where it is read as a request, it is one here too, and not part of a body.
            assert!(!hidden || variant.passes == Some(2), "{name}");
        }
    }
}

/// Without the refusals, the hidden request would arrive.
#[tokio::test]
async fn node_receives_the_hidden_request_of_some_refused_variants() {
    let mut refused = variants();
    refused.retain(|variant| variant.passes.is_none());
    let inputs: Vec<&[u8]> = refused.iter().map(|variant| &variant.input[..]).collect();
    let mut server = Node::start();
    let received = server.parse(&inputs, true, Transport::Tcp).await;
    let hidden = received.iter().filter(|theirs| {
        let messages = theirs["messages"].as_array().unwrap();
        messages
            .iter()
            .any(|message| message["target"] == "/hidden")
    });
    assert!(hidden.count() >= 10);
}
