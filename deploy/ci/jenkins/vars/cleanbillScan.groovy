/**
 * A step for a shared library: scans an image, keeps the reports, lets the gate decide.
 *
 *     @Library('cleanbill') _
 *     cleanbillScan image: "app:${env.GIT_COMMIT}", config: 'config/trivy-config.yaml'
 *
 * image: the image, required. config, exceptions: files of the gate, exceptions of the scan, too; without config nothing is judged.
 * slack, pushgateway: ids of credentials (secret text); without them nobody is told.
 * series: what the series of the metrics are called, as in app:main; without, by the image, which is right
 *     only where its name stays the same from build to build.
 *
 * Values reach the shell as variables, never as text of a script.
 */
def call(Map options) {
    def unknown = options.keySet() - ['image', 'config', 'exceptions', 'slack', 'pushgateway', 'series']
    if (unknown || !options.image) {
        error "cleanbillScan: ${unknown ? 'there is no option ' + unknown.join(', ') : 'image is missing'}"
    }
    def rules = options.config ? ' --config "$CLEANBILL_CONFIG"' : ''
    def exceptions = options.exceptions ? ' --exceptions "$CLEANBILL_EXCEPTIONS"' : ''
    def variables = ["CLEANBILL_IMAGE=${options.image}", "CLEANBILL_CONFIG=${options.config ?: ''}",
                     "CLEANBILL_EXCEPTIONS=${options.exceptions ?: ''}", "CLEANBILL_METRICS_IMAGE_LABEL=${options.series ?: ''}",
                     "CLEANBILL_METRICS_JOB=${env.CHANGE_ID ? 'pull-requests' : 'cleanbill'}"]
    withEnv(variables) {
        // What a build before left here is not told as what came of this one.
        sh 'rm -f scan-results.json scan-report.html verdict.json gate.xml'
        try {
            // 3: something could not be assessed. The report says so, and the gate does not let it pass.
            sh 'cleanbill scan --image "$CLEANBILL_IMAGE" --show-suppressed --list-all-pkgs -o json=scan-results.json' +
                exceptions + ' || [ $? = 3 ]'
            sh 'cleanbill report scan-results.json -o html=scan-report.html -o table=-'
            if (rules) {
                sh 'cleanbill gate --scan-results scan-results.json -o text=- -o junit=gate.xml -o json=verdict.json' + rules + exceptions
            }
        } finally {
            junit testResults: 'gate.xml', allowEmptyResults: true
            archiveArtifacts artifacts: 'scan-results.json, scan-report.html', allowEmptyArchive: true
            publishHTML target: [reportName: 'Vulnerabilities', reportDir: '.', reportFiles: 'scan-report.html',
                                 keepAll: true, allowMissing: true, alwaysLinkToLastBuild: true]
            def verdict = fileExists('verdict.json') ? ' --verdict verdict.json' : ''
            tell(options.slack, 'SLACK_WEBHOOK_URL', 'cleanbill notify slack --scan-results scan-results.json' + verdict)
            tell(options.pushgateway, 'PROMETHEUS_PUSHGATEWAY', 'cleanbill metrics push --scan-results scan-results.json' + verdict)
        }
    }
}

/** Runs a command with a credential. Its failure decides nothing about the build. */
private void tell(String credentials, String variable, String command) {
    if (!credentials) {
        return
    }
    catchError(buildResult: null, stageResult: null) {
        withCredentials([string(credentialsId: credentials, variable: variable)]) {
            sh '[ ! -f scan-results.json ] || ' + command
        }
    }
}
