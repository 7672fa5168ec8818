package pki

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
)

func TestCertificateServesBothEnds(t *testing.T) {
	authority, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := authority.Issue(Subject{User: "system:node:n1", Groups: []string{"system:nodes"}, Hosts: []string{"n1", "10.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	both, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got := both.Leaf.Subject; got.CommonName != "system:node:n1" || got.Organization[0] != "system:nodes" {
		t.Errorf("unexpected subject %v", got)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.Cert)
	for _, host := range []string{"n1", "10.0.0.1"} {
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
			options := x509.VerifyOptions{Roots: roots, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}}
			if _, err := both.Leaf.Verify(options); err != nil {
				t.Errorf("host %s, usage %d: %v", host, usage, err)
			}
		}
	}
	if _, err := both.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "n2"}); err == nil {
		t.Error("the certificate serves for a host that it was not made for")
	}
}
