// Package gateway is the edge: HTTP resources, the voice endpoint, and nothing that
// decides about learning or talking.
package gateway
