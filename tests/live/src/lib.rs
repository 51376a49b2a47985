//! Both adapters together, as a binary wires them: `eks-aws` describes a cluster and makes its tokens, `eks-kube` reaches
//! it by that. There is nothing here but the tests in `tests/`.
