//! Tags of what EKS owns: clusters, node groups, add-ons. They mirror the state of a run, so that
//! another machine can go on.

use std::collections::BTreeMap;

use crate::Result;
use crate::calls::provider;

provider! {
    /// Changes tags of what EKS owns. They are read with the thing that has them.
    #[access(Write)]
    pub trait EksTagWriter {
        /// Sets these tags, and leaves others as they are. A value has 256 characters at most, a
        /// resource 50 tags.
        #[iam("eks:TagResource")]
        async fn tag_resource(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<()>;

        /// Takes the tags of these keys away. One that is not there is no error.
        #[iam("eks:UntagResource")]
        async fn untag_resource(&self, arn: &str, keys: &[String]) -> Result<()>;
    }
}
