package main

import "syscall"

// childAttributes makes a program a group of its own, so that Ctrl-C at the terminal reaches only the
// test, and has the kernel kill it when launch dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
