//! Certificate authorities: which server is meant.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use eks_provider::{Class, ProviderError, Result};

/// The authorities of a server: certificates in DER.
pub(crate) type Authorities = Vec<Vec<u8>>;

/// Reads what DescribeCluster gives: PEM, in base64.
pub(crate) fn described(text: &str, endpoint: &str) -> Result<Authorities> {
    let error = |why: &str| {
        ProviderError::new(Class::Malformed, "connect", format!("API server {endpoint}"))
            .message(format!("the certificate authority of DescribeCluster cannot be read: {why}"))
    };
    let compact: String = text.split_whitespace().collect();
    let pem = STANDARD.decode(compact).map_err(|_| error("it is not base64"))?;
    let pem = String::from_utf8(pem).map_err(|_| error("it is no text"))?;
    let found = certificates(&pem).map_err(error)?;
    if found.is_empty() { Err(error("there is no certificate in it")) } else { Ok(found) }
}

/// The certificates of a PEM text.
fn certificates(pem: &str) -> std::result::Result<Authorities, &'static str> {
    let mut found = Vec::new();
    for block in pem.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let (body, _) = block.split_once("-----END CERTIFICATE-----").ok_or("a certificate has no end")?;
        let compact: String = body.split_whitespace().collect();
        found.push(STANDARD.decode(compact).map_err(|_| "a certificate is not base64")?);
    }
    Ok(found)
}

/// Whether a server that `trusted` vouches for can only be one of `described`. With more trusted than
/// described, another server would be believed too; with none trusted, anybody would be.
pub(crate) fn same(
    trusted: Option<&Authorities>,
    described: &Authorities,
) -> std::result::Result<(), String> {
    let Some(trusted) = trusted.filter(|trusted| !trusted.is_empty()) else {
        return Err(format!(
            "the kubeconfig names no certificate authority, so it cannot be told which server answers; the cluster's is {}",
            shown(described)
        ));
    };
    let known: BTreeSet<&Vec<u8>> = described.iter().collect();
    if trusted.iter().all(|certificate| known.contains(certificate)) {
        return Ok(());
    }
    Err(format!(
        "the kubeconfig trusts the certificate authority {}, and the cluster's is {}: it is another cluster, or \
         something in between answers for it",
        shown(trusted),
        shown(described)
    ))
}

/// As `openssl x509 -fingerprint -sha256` shows them.
fn shown(authorities: &Authorities) -> String {
    let fingerprint = |der: &Vec<u8>| {
        let digest = digest(&SHA256, der);
        let pairs: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        format!("sha256 {}", pairs.join(":"))
    };
    authorities.iter().map(fingerprint).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(certificates: &[&[u8]]) -> String {
        let one = |der: &&[u8]| {
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
        };
        certificates.iter().map(one).collect::<Vec<_>>().concat()
    }

    #[test]
    fn what_describe_cluster_gives_is_read() {
        let text = STANDARD.encode(pem(&[b"one", b"two"]));
        let (start, end) = text.split_at(20);
        let found = described(&format!("{start}\n{end}\n"), "https://x").unwrap();
        assert_eq!(found, [b"one".to_vec(), b"two".to_vec()]);
        for (text, why) in [
            ("???".to_owned(), "it is not base64"),
            (STANDARD.encode([0xff, 0xfe]), "it is no text"),
            (STANDARD.encode("nothing"), "there is no certificate in it"),
            (STANDARD.encode("-----BEGIN CERTIFICATE-----\nAAAA"), "a certificate has no end"),
            (
                STANDARD.encode("-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----"),
                "a certificate is not base64",
            ),
        ] {
            let error = described(&text, "https://x").unwrap_err();
            assert_eq!(error.class(), Class::Malformed);
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn only_the_clusters_own_authorities_may_be_trusted() {
        let (one, two, three) = (b"one".to_vec(), b"two".to_vec(), b"three".to_vec());
        let described = vec![one.clone(), two.clone()];
        assert_eq!(same(Some(&vec![two.clone()]), &described), Ok(()));
        assert_eq!(same(Some(&vec![two.clone(), one]), &described), Ok(()));
        let error = same(Some(&vec![two, three]), &described).unwrap_err();
        // Of `one`, which both know, as of those that only one of them knows.
        assert_eq!(error.matches("sha256 ").count(), 4, "{error}");
        assert!(error.contains("76:92:C3:AD:35:40:BB:80:3C:02:0B:3A:EE:66:CD:88"), "{error}");
        for none in [None, Some(&Vec::new())] {
            assert!(same(none, &described).unwrap_err().contains("names no certificate authority"));
        }
    }
}
