//go:build unix && !linux

package main

import "syscall"

// childAttributes makes a program a group of its own, so that Ctrl-C at the terminal reaches only the
// test. Only Linux can tie its life to ours: elsewhere the programs outlive a launch that is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
