// What scripts/fetch-go builds. Written by scripts/pin-go.
// package: github.com/rhysd/actionlint/cmd/actionlint
module local/actionlint

go 1.25.0

require github.com/rhysd/actionlint v1.7.12
