//! Terraform as people write it.
