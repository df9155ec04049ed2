// One program that is a whole Kubernetes control plane: it becomes the component its own name, or else its first
// argument, says. One binary links the packages that the components share once, so that it is less than half as large
// as five, and links in seconds after the packages were compiled.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlerrors "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
)

// components are started with os.Args as if the component were the program.
var components = map[string]func(){
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          serve(apiserver.NewAPIServerCommand),
	"kube-controller-manager": serve(controllers.NewControllerManagerCommand),
	"kube-proxy":              serve(proxy.NewProxyCommand),
	"kubectl":                 runKubectl,
}

func main() {
	component, named := components[filepath.Base(os.Args[0])]
	if !named && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		component, named = components[os.Args[0]]
	}
	if !named {
		fmt.Fprintln(os.Stderr, "usage: envtest etcd|kube-apiserver|kube-controller-manager|kube-proxy|kubectl [ARGUMENT...]")
		os.Exit(2)
	}
	component()
}

func serve(command func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(command())) }
}

// kubectl prints its errors itself, in the words that its users know.
func runKubectl() {
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlerrors.CheckErr(err)
	}
}
