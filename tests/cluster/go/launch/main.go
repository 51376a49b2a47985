// Launch owns the programs of one test cluster and its data folder, so that neither outlives the test.
//
// It is told what to do by JSON, one object a line, on standard input, and answers in the same way on
// standard output. When standard input ends, for whatever reason (the test is done, it panicked, it was
// killed), launch kills every program, waits for each, removes the data folder and ends. When launch
// itself is killed, the kernel kills the programs (see child_linux.go).
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Every data folder has this in its name; launch removes no other.
const folderPrefix = "eks-cluster-"

// A command, as the harness writes it.
type command struct {
	ID      uint64   `json:"id"`
	Do      string   `json:"do"`
	Name    string   `json:"name"`
	Program string   `json:"program"`
	Args    []string `json:"args"`
	Log     string   `json:"log"`
	Signal  string   `json:"signal"`
	GraceMS int64    `json:"grace_ms"`
}

// An answer to a command, or (with ID 0) the news that a program has ended.
type message struct {
	ID     uint64 `json:"id"`
	Name   string `json:"name,omitempty"`
	PID    int    `json:"pid,omitempty"`
	Ended  string `json:"ended,omitempty"`
	Error  string `json:"error,omitempty"`
	Forced bool   `json:"forced,omitempty"`
}

type launcher struct {
	folder string

	mutex    sync.Mutex
	programs map[string]*program

	output sync.Mutex
}

func init() {
	// A parent-death signal is sent when the *thread* that started the child ends. The main thread lives
	// as long as the process, and everything that is started is started by the main goroutine.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) != 2 || !strings.HasPrefix(filepath.Base(os.Args[1]), folderPrefix) {
		fmt.Fprintf(os.Stderr, "usage: launch FOLDER, whose name starts with %s\n", folderPrefix)
		os.Exit(2)
	}
	l := &launcher{folder: os.Args[1], programs: map[string]*program{}}

	commands := make(chan command)
	go read(commands)
	signals := make(chan os.Signal, 4)
	// SIGPIPE is caught and dropped: whoever read our output is gone, and the end of input follows. (To
	// ignore it would make the programs ignore it too.)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)

	l.say(message{PID: os.Getpid()})
	for {
		select {
		case c, open := <-commands:
			if !open {
				l.end()
				return
			}
			l.obey(c)
		case s := <-signals:
			if s != syscall.SIGPIPE {
				l.end()
				return
			}
		}
	}
}

// read hands the lines of standard input on, and closes the channel when they end.
func read(commands chan<- command) {
	defer close(commands)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			fmt.Fprintf(os.Stderr, "a line is no command: %v\n", err)
			return
		}
		commands <- c
	}
}

func (l *launcher) say(m message) {
	line, err := json.Marshal(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	l.output.Lock()
	defer l.output.Unlock()
	_, _ = os.Stdout.Write(append(line, '\n'))
}

func (l *launcher) obey(c command) {
	answer := message{ID: c.ID, Name: c.Name}
	switch c.Do {
	case "start":
		p, err := l.start(c)
		if err != nil {
			answer.Error = err.Error()
		} else {
			answer.PID = p.pid
		}
	case "stop":
		// In a goroutine of its own: other programs can be told something meanwhile.
		go func() {
			answer.Forced = l.stop(c.Name, time.Duration(c.GraceMS)*time.Millisecond)
			l.say(answer)
		}()
		return
	case "signal":
		if err := l.signal(c.Name, c.Signal); err != nil {
			answer.Error = err.Error()
		}
	case "credentials":
		if err := writeCredentials(l.folder); err != nil {
			answer.Error = err.Error()
		}
	default:
		answer.Error = fmt.Sprintf("there is no command %q", c.Do)
	}
	l.say(answer)
}

// end kills what runs, waits for it, and removes the data folder.
func (l *launcher) end() {
	l.mutex.Lock()
	running := make([]*program, 0, len(l.programs))
	for _, p := range l.programs {
		running = append(running, p)
	}
	l.mutex.Unlock()
	for _, p := range running {
		p.kill()
	}
	for _, p := range running {
		<-p.done
	}
	if err := os.RemoveAll(l.folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
