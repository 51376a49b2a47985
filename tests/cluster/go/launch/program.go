package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A program that was started.
type program struct {
	pid  int
	done chan struct{}
}

var signals = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM,
	"KILL": syscall.SIGKILL,
	"STOP": syscall.SIGSTOP,
	"CONT": syscall.SIGCONT,
}

// start runs on the main goroutine only: see init.
func (l *launcher) start(c command) (*program, error) {
	if _, running := l.find(c.Name); running {
		return nil, fmt.Errorf("%s is running already", c.Name)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Program, c.Args...)
	cmd.Dir = l.folder
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &program{pid: cmd.Process.Pid, done: make(chan struct{})}
	l.mutex.Lock()
	l.programs[c.Name] = p
	l.mutex.Unlock()
	go func() {
		ended := "exit status 0"
		if err := cmd.Wait(); err != nil {
			ended = err.Error()
		}
		l.mutex.Lock()
		delete(l.programs, c.Name)
		l.mutex.Unlock()
		// Said before a stop is answered: the harness then knows that this end was the one it asked for.
		l.say(message{Name: c.Name, PID: p.pid, Ended: ended})
		close(p.done)
	}()
	return p, nil
}

func (l *launcher) find(name string) (*program, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	p, running := l.programs[name]
	return p, running
}

// stop asks a program to end, makes it end after the grace, and says whether it had to. One that does
// not run is stopped.
func (l *launcher) stop(name string, grace time.Duration) bool {
	p, running := l.find(name)
	if !running {
		return false
	}
	_ = p.send(syscall.SIGTERM)
	select {
	case <-p.done:
		return false
	case <-time.After(grace):
		p.kill()
		<-p.done
		return true
	}
}

func (l *launcher) signal(name, signal string) error {
	number, known := signals[signal]
	if !known {
		return fmt.Errorf("there is no signal %q", signal)
	}
	p, running := l.find(name)
	if !running {
		return fmt.Errorf("%s does not run", name)
	}
	return p.send(number)
}

// send signals the program's whole group.
func (p *program) send(signal syscall.Signal) error {
	err := syscall.Kill(-p.pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

func (p *program) kill() {
	_ = p.send(syscall.SIGKILL)
}
