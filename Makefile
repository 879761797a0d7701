# Timestation. `make` alone explains this file; the work is done by the scripts in .ci, which can be read one by one.
.DEFAULT_GOAL := help
.NOTPARALLEL:
# What a Raspberry Pi's graphics speak; compiled in a third of the time that desktop OpenGL takes.
gles := $(if $(filter Linux,$(shell uname)),-tags gles)
.PHONY: help run build test check peers board board-test screen measure measure-ntp screenshot deb deb-test clean

help: ## this list
	@echo 'Timestation: two commands do it: `make run` shows it, `make test` checks it.'
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

run: build ## install what is missing, build, and start the demonstration (nothing to plug in)
	@bin/timestation demo

build: ## the program, in bin/timestation
	@.ci/setup go window
	go build $(gles) -o bin/timestation ./app

test: ## everything: check, peers, screen, deb-test, board-test, one after the other
	@.ci/gate check peers screen deb-test board-test

check: ## format, vet, staticcheck, other systems, unit tests with the race detector, fuzzing
	@.ci/setup go window network
	@.ci/check

peers: ## chronyd, chronyc, ntpq, ntpdig, gpsd and prometheus judge the running station
	@.ci/setup go peers network
	@.ci/peers

board: ## a virtual computer with GPIO lines, pulses and serial ports behind Debian's kernel, to look around in
	@.ci/setup go board
	@.ci/board

board-test: ## the station on that computer: real devices, a system clock that it may steer, chronyd beside it
	@.ci/setup go board
	@.ci/board-test

screen: ## the window on a screen in memory shows the time of day
	@.ci/setup go window screen
	@.ci/screen

measure: ## the long sweeps and the benchmarks, with their figures (not part of make test)
	@.ci/setup go
	TIMESTATION_MEASURE=1 CGO_ENABLED=0 go test -tags headless -count 1 -timeout 60m -v -bench . -benchmem ./...

measure-ntp: ## the NTP server's figures beside chronyd and a C echo, on a machine that does nothing else
	@.ci/setup go measure-ntp
	@.ci/measure-ntp

screenshot: build ## the picture in the README, taken of the demonstration
	@.ci/setup screen
	@.ci/screenshot

deb: ## Debian packages in dist/: this architecture and arm64 for a Raspberry Pi
	@.ci/setup go window deb
	@.ci/deb

deb-test: deb ## the packages install, run and go away again in a Debian of their own
	@.ci/setup deb-test
	@.ci/deb-test

clean: ## remove what was built here (what was fetched stays in ~/.cache/timestation)
	rm -rf bin dist
