package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTokenThatHasExpiredIsRefusedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		refusals, wantCode, wantRequests int
	}{
		"refreshed after the first refusal": {1, http.StatusOK, 2},
		"really not authorized":             {9, http.StatusUnauthorized, 2},
		"valid":                             {0, http.StatusOK, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var bodies []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies = append(bodies, string(body))
				if len(bodies) <= c.refusals {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			defer server.Close()
			client := http.Client{Transport: freshCredentials{http.DefaultTransport}}
			answer, err := client.Post(server.URL, "text/plain", strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.wantCode || len(bodies) != c.wantRequests || bodies[len(bodies)-1] != "body" {
				t.Errorf("got %d after requests %q", answer.StatusCode, bodies)
			}
		})
	}
}
