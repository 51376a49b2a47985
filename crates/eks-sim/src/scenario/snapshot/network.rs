//! Subnets, security groups, images.

use std::collections::{BTreeMap, BTreeSet};

use eks_model::KubeVersion;
use eks_provider::aws::{Image, Instance, Subnet};

use super::Seeding;
use crate::aws::ec2;
use crate::aws::ec2::network::KnownSubnet;
use crate::scenario::{ImageSpec, Network, SubnetSpec, TargetGroupSpec};

impl Seeding<'_> {
    /// The VPC. Addresses that are taken and not by instances that the world will have are held by something else.
    pub(super) fn network(&mut self) -> Network {
        let seen = self.seen;
        let mut subnets = Vec::new();
        for subnet in &seen.subnets {
            let Some(known) = KnownSubnet::new(subnet.clone()) else {
                let what = match &subnet.cidr_block {
                    Some(cidr) => format!("{cidr} is not between /16 and /28; the world does not have it"),
                    None => "it has no IPv4 addresses; the world does not have it".to_owned(),
                };
                self.assume(format!("subnet {}", subnet.id), what);
                continue;
            };
            let size = known.size();
            let ours = u32::try_from(seen.instances.iter().filter(|one| comes(one, subnet)).count());
            let taken = size.saturating_sub(subnet.available_ip_address_count);
            subnets.push(SubnetSpec {
                id: subnet.id.clone(),
                zone: subnet.availability_zone.clone(),
                cidr: subnet.cidr_block.clone().unwrap_or_default(),
                held_elsewhere: taken.saturating_sub(ours.unwrap_or(0)),
                tags: subnet.tags.clone(),
            });
        }
        let zones: BTreeSet<&String> = seen.subnets.iter().map(|subnet| &subnet.availability_zone).collect();
        if !subnets.is_empty() && zones.len() < subnets.len() {
            let what = "a zone has several; which one a new instance gets is not known, it is the one with the most addresses";
            self.assume("subnets", what);
        }
        if subnets.is_empty() {
            self.assume(
                "network",
                "no subnet is known; there are three zones with 4,091 free addresses each",
            );
            for (zone, cidr) in [("a", "10.0.0.0/20"), ("b", "10.0.16.0/20"), ("c", "10.0.32.0/20")] {
                let zone = format!("{}{zone}", self.place().0);
                subnets.push(SubnetSpec {
                    id: format!("subnet-{zone}"),
                    zone,
                    cidr: cidr.to_owned(),
                    held_elsewhere: 0,
                    tags: BTreeMap::new(),
                });
            }
        } else {
            let what = "how many addresses Pods of a new node take is not known; a node takes one";
            self.assume("network", what);
        }
        let vpc = seen.subnets.first().map(|subnet| subnet.vpc_id.clone());
        Network {
            vpc: vpc.unwrap_or_else(crate::scenario::vpc),
            addresses_per_instance: 1,
            subnets,
            security_groups: seen.security_groups.iter().map(|group| group.id.clone()).collect(),
        }
    }

    /// Those of these subnets that the world has.
    pub(super) fn known_subnets(&self, ids: &BTreeSet<String>) -> BTreeSet<String> {
        let known = |id: &&String| {
            self.seen.subnets.iter().any(|one| one.id == **id && KnownSubnet::new(one.clone()).is_some())
        };
        ids.iter().filter(known).cloned().collect()
    }

    /// Images that templates name or instances run, and that are not among those that the world makes.
    pub(super) fn images(&mut self) -> Vec<ImageSpec> {
        let mut made = ec2::State::default();
        crate::scenario::build::standard_images(&mut made, self.start);
        self.assume(
            "images",
            "those that EKS recommends are made up for the day; real releases have other numbers",
        );
        let seen = self.seen;
        let mut specs = Vec::new();
        for image in seen.images.iter().filter(|image| !made.images.contains_key(&image.id)) {
            let kubelet = self.kubelet_of(image);
            if kubelet.is_none() {
                let what = "which kubelet it holds is not known; no node comes of it";
                self.assume(format!("image {}", image.id), what);
            }
            specs.push(ImageSpec {
                id: image.id.clone(),
                name: image.name.clone(),
                kubelet,
                architecture: image.architecture.clone().unwrap_or_else(|| "x86_64".to_owned()),
                parameter: None,
            });
        }
        let described = |id: &String| seen.images.iter().any(|image| image.id == *id);
        let named: BTreeSet<String> = self.image_ids().into_iter().filter(|id| !described(id)).collect();
        for id in named.into_iter().filter(|id| !made.images.contains_key(id)) {
            let kubelet = self.running(&id).map(ToString::to_string);
            let what = "it is not there any more, or may not be seen; the world has it";
            self.assume(format!("image {id}"), what);
            specs.push(ImageSpec {
                id,
                name: None,
                kubelet,
                architecture: "x86_64".to_owned(),
                parameter: None,
            });
        }
        specs
    }

    /// The ids of all images that templates name or instances run.
    fn image_ids(&self) -> BTreeSet<String> {
        let of_templates = self.seen.templates.iter().flat_map(|(_, versions)| versions);
        let of_templates = of_templates.filter_map(|version| version.data.image_id.clone());
        let of_instances = self.seen.instances.iter().filter_map(|one| one.image_id.clone());
        of_templates.chain(of_instances).filter(|id| id.starts_with("ami-")).collect()
    }

    /// The kubelet of a node that runs an image.
    fn running(&self, image: &str) -> Option<&KubeVersion> {
        let mut of_image = self.seen.instances.iter().filter(|one| one.image_id.as_deref() == Some(image));
        of_image.find_map(|one| self.seen.kubelets.get(&one.id))
    }

    /// The kubelet in an image: that of a node that runs it, or what its description and its name say.
    fn kubelet_of(&self, image: &Image) -> Option<String> {
        if let Some(kubelet) = self.running(&image.id) {
            return Some(kubelet.to_string());
        }
        let words = [&image.description, &image.name];
        let words = words.into_iter().flatten().flat_map(|text| text.split([' ', '-', ',', '(', ')']));
        let mut versions = words.filter(|word| word.starts_with("1.") && word.parse::<KubeVersion>().is_ok());
        versions.next().map(str::to_owned)
    }

    /// The target groups of groups.
    pub(super) fn target_groups(&mut self) -> Vec<TargetGroupSpec> {
        let seen = self.seen;
        let mut specs = Vec::new();
        for group in &seen.target_groups {
            if group.deregistration_delay.is_none() {
                let about = format!("target group {}", group.name);
                self.assume(about, "its deregistration delay is not known; it is five minutes");
            }
            specs.push(TargetGroupSpec {
                name: group.name.clone(),
                deregistration_delay_seconds: group.deregistration_delay.map_or(300, |delay| delay.as_secs()),
            });
        }
        specs
    }
}

/// Whether an instance is one that the world will have in this subnet: of a group of the cluster.
fn comes(instance: &Instance, subnet: &Subnet) -> bool {
    instance.subnet_id.as_ref() == Some(&subnet.id) && instance.tags.contains_key("aws:autoscaling:groupName")
}
