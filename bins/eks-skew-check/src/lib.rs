//! Says what will stop working between two Kubernetes versions, before it is merged; can only read.
