// What scripts/fetch-go builds. Written by scripts/pin-go.
// package: go.k6.io/k6/v2
module local/k6

go 1.25.0

require go.k6.io/k6/v2 v2.2.0
