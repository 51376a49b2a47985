//! Which Terraform files are worth parsing: those of folders that may have to do with EKS, and of folders that hang
//! together with one of them. Parsing is what costs; looking for words does not.

use std::collections::BTreeMap;

use memchr::memmem;

use super::{File, TERRAGRUNT, joined, split};

/// Words without which a folder cannot declare, or pass on, anything that is read here.
const WORDS: [&str; 15] = [
    "eks",
    "EKS",
    "Eks",
    "kube",
    "Kube",
    "KUBE",
    "k8s",
    "K8s",
    "K8S",
    "helm",
    "Helm",
    "cluster",
    "Cluster",
    "autoscaling",
    "launch_",
];

/// The files that may matter. Folders that name each other, in either direction, matter together: a module gets its
/// values from who calls it, and gives values back.
pub(crate) fn relevant<'a>(files: Vec<File<'a>>) -> Vec<File<'a>> {
    let mut number: BTreeMap<&'a str, usize> = BTreeMap::new();
    for file in &files {
        let next = number.len();
        number.entry(split(file.path).0).or_insert(next);
    }
    let mut groups = Groups::new(number.len());
    let mut speaks = vec![false; number.len()];
    for file in &files {
        let (folder, name) = split(file.path);
        let Some(&own) = number.get(folder) else { continue };
        for path in relative_paths(file.text) {
            if let Some(&other) = joined(folder, path).and_then(|path| number.get(path.as_str())) {
                groups.join(own, other);
            }
        }
        // Values for the variables of a folder that may be anywhere.
        let alone = name.contains(".tfvars") || name == TERRAGRUNT;
        let marked =
            alone || WORDS.iter().any(|word| memmem::find(file.text.as_bytes(), word.as_bytes()).is_some());
        if let Some(speaks) = speaks.get_mut(own) {
            *speaks |= marked;
        }
    }
    let mut matters = vec![false; speaks.len()];
    for (folder, _) in speaks.iter().enumerate().filter(|(_, speaks)| **speaks) {
        let of = groups.of(folder);
        if let Some(matters) = matters.get_mut(of) {
            *matters = true;
        }
    }
    files
        .into_iter()
        .filter(|file| {
            number
                .get(split(file.path).0)
                .and_then(|&folder| matters.get(groups.of(folder)))
                .is_none_or(|matters| *matters)
        })
        .collect()
}

/// Texts in quotes that begin with `./` or `../`: sources of modules, and files.
fn relative_paths(text: &str) -> impl Iterator<Item = &str> {
    memmem::find_iter(text.as_bytes(), b"\".").filter_map(|at| {
        let rest = text.get(at + 1..)?;
        if !rest.starts_with("./")
            && !rest.starts_with("../")
            && !rest.starts_with(".\"")
            && !rest.starts_with("..\"")
        {
            return None;
        }
        rest.split(['"', '\n']).next()
    })
}

/// Which folders hang together.
struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn new(count: usize) -> Self {
        Self { parent: (0..count).collect() }
    }

    fn of(&self, mut folder: usize) -> usize {
        while let Some(&parent) = self.parent.get(folder) {
            if parent == folder {
                break;
            }
            folder = parent;
        }
        folder
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        // The lower number leads, so that chains stay short in the order of the files.
        if let Some(parent) = self.parent.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(files: &[(&str, &str)]) -> Vec<String> {
        let files = (0..).zip(files).map(|(number, (path, text))| File { number, path, text }).collect();
        relevant(files).iter().map(|file| file.path.to_owned()).collect()
    }

    #[test]
    fn folders_matter_with_those_they_hang_together_with() {
        let bucket = "resource \"aws_s3_bucket\" \"b\" {}";
        assert_eq!(kept(&[("a/main.tf", bucket), ("b/main.tf", bucket)]), [""; 0]);
        assert_eq!(
            kept(&[("a/main.tf", bucket), ("a/x.tf", "resource \"aws_eks_cluster\" \"c\" {}")]).len(),
            2
        );
        // Versions come from a module that does not know what they are for; what calls it matters too.
        let caller = "module \"v\" { source = \"../versions\" }\nresource \"aws_eks_cluster\" \"c\" {}";
        assert_eq!(
            kept(&[
                ("env/main.tf", caller),
                ("other/main.tf", bucket),
                ("versions/main.tf", "output \"v\" {}")
            ]),
            ["env/main.tf", "versions/main.tf"]
        );
        let root = "module \"m\" { source = \"./m\" }\nvariable \"v\" { default = \"1.33\" }";
        assert_eq!(kept(&[("main.tf", root), ("m/main.tf", "module \"eks\" {}")]), ["main.tf", "m/main.tf"]);
        // Values for who knows what.
        assert_eq!(kept(&[("env/prod.tfvars", "v = 1")]), ["env/prod.tfvars"]);
    }
}
