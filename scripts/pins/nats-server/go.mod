// What scripts/fetch-nats-cluster builds. Written by scripts/pin-go.
module local/nats-server

go 1.25.0

require github.com/nats-io/nats-server/v2 v2.12.15
