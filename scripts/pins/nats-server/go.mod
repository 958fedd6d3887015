// What scripts/fetch-go builds. Written by scripts/pin-go.
// package: github.com/nats-io/nats-server/v2
module local/nats-server

go 1.25.0

require github.com/nats-io/nats-server/v2 v2.12.15
