//! `eks-skew-check`: see the library beside this file.

fn main() -> std::process::ExitCode {
    eks_skew_check::main_with(std::env::args_os())
}
