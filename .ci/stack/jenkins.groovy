// Checks a declarative pipeline and a step of a shared library without Jenkins. Both are compiled by
// the Groovy that Jenkins has, with its transformation of pipelines (CPS); the sections of the pipeline
// are held against those that the declarative syntax has, and both are run with steps that do nothing
// but write down what they were called with. Shell scripts are then read by bash.

import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.NonCPS
import org.codehaus.groovy.control.CompilerConfiguration

class Fault extends RuntimeException { Fault(String text) { super(text) } }

/** Steps that the plugins named in the Jenkinsfile bring, with the parameters that are used here. */
class Steps {
    static final Map<String, Set<String>> KNOWN = [
        fileExists: ['file'], sh: ['script', 'label', 'returnStatus', 'returnStdout'], echo: ['message'], error: ['message'],
        junit: ['testResults', 'allowEmptyResults', 'keepLongStdio'],
        archiveArtifacts: ['artifacts', 'allowEmptyArchive', 'fingerprint'],
        publishHTML: ['target'], withCredentials: ['bindings'], withEnv: ['overrides'],
        catchError: ['buildResult', 'stageResult', 'message'], string: ['credentialsId', 'variable'],
    ].collectEntries { name, parameters -> [name, parameters as Set] }

    List<String> scripts = []
    List<String> called = []

    Object call(String name, Object[] arguments) {
        if (!KNOWN.containsKey(name)) throw new Fault("there is no step ${name}")
        called << name
        def rest = arguments as List
        if (rest && rest[0] instanceof Map) {
            def unknown = rest[0].keySet() - KNOWN[name]
            if (unknown) throw new Fault("step ${name} has no ${unknown.join(', ')}")
        }
        if (name == 'sh') scripts << (rest[0] instanceof Map ? rest[0].script : rest[0]).toString()
        if (name == 'error') throw new Fault("error: ${rest[0]}")
        if (name == 'withCredentials' && !rest[0].every { it.credentialsId && it.variable }) throw new Fault('a credential is not whole')
        if (name == 'string') return rest[0]
        if (name == 'fileExists') return true
        if (rest && rest[-1] instanceof Closure) {
            Closure body = rest[-1]
            return body.call()
        }
        null
    }
}

/** A block of the declarative syntax. */
class Block {
    static final SECTIONS = [
        pipeline: ['agent', 'environment', 'options', 'parameters', 'post', 'stages', 'tools', 'triggers'],
        stages: ['stage'], stage: ['agent', 'environment', 'options', 'post', 'steps', 'tools', 'when', 'stages', 'parallel'],
        post: ['always', 'changed', 'fixed', 'regression', 'aborted', 'failure', 'success', 'unstable', 'unsuccessful', 'cleanup'],
        agent: ['label', 'docker', 'dockerfile', 'node'], triggers: ['cron', 'pollSCM', 'upstream', 'H'],
        options: ['timeout', 'timestamps', 'disableConcurrentBuilds', 'buildDiscarder', 'logRotator', 'retry', 'skipDefaultCheckout'],
    ]
    static final NEEDED = [pipeline: ['agent', 'stages'], stages: ['stage'], stage: ['steps']]
    static final STEPS = ['steps', *SECTIONS.post]

    String name
    Steps steps
    Map<String, String> env
    List<String> seen = []

    static void read(String name, Steps steps, Map env, Closure body) {
        def block = new Block(name: name, steps: steps, env: env)
        body.delegate = block
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body.call()
        def missing = (NEEDED[name] ?: []) - block.seen
        if (missing) throw new Fault("${name} has no ${missing.join(', ')}")
    }

    Object methodMissing(String called, Object arguments) {
        List list = arguments as List
        if (name in STEPS) {
            // The bodies of steps see steps, too.
            list.findAll { it instanceof Closure }.each { it.delegate = this; it.resolveStrategy = Closure.DELEGATE_FIRST }
            return steps.call(called, list as Object[])
        }
        if (!(called in SECTIONS[name])) throw new Fault("${name} has no ${called}")
        if (called != 'stage' && called in seen) throw new Fault("${name} has ${called} twice")
        seen << called
        if (list && list[-1] instanceof Closure) read(called, steps, env, list[-1])
        list ? list[0] : called
    }

    Object propertyMissing(String property) {
        if (property == 'env') return env
        if (name == 'agent' && property == 'any') return property
        throw new Fault("${name}: there is no ${property}")
    }

    void propertyMissing(String property, Object value) {
        if (name != 'environment') throw new Fault("${name} sets ${property}")
        env[property] = value.toString()
    }
}

abstract class PipelineScript extends Script {
    void pipeline(Closure body) { Block.read('pipeline', binding.steps, binding.env, body) }
}

abstract class LibraryScript extends Script {
    @Override
    Object invokeMethod(String name, Object arguments) {
        if (metaClass.respondsTo(this, name, arguments as Object[])) return super.invokeMethod(name, arguments)
        binding.steps.call(name, arguments as Object[])
    }

    Object methodMissing(String name, Object arguments) { binding.steps.call(name, arguments as Object[]) }
}

def compile = { File file, Class base, boolean isTransformed ->
    def configuration = new CompilerConfiguration()
    if (isTransformed) configuration.addCompilationCustomizers(new CpsTransformer())
    else configuration.scriptBaseClass = base.name
    new GroovyShell(getClass().classLoader, new Binding(), configuration).parse(file)
}

def steps = new Steps()
def pipelineFile = new File(args[0]), libraryFile = new File(args[1])
[pipelineFile, libraryFile].each { compile(it, null, true) }

def pipeline = compile(pipelineFile, PipelineScript, false)
pipeline.binding = new Binding(steps: steps, env: [GIT_COMMIT: 'abc', WORKSPACE: '/agent/workspace/app'])
pipeline.run()

def library = compile(libraryFile, LibraryScript, false)
library.binding = new Binding(steps: steps, env: [CHANGE_ID: '7'])
library.call(image: 'app:1')
def few = steps.called.count('withCredentials')
library.call(image: 'app:1; reboot', config: 'a b.yaml', exceptions: 'exceptions.yaml', slack: 'slack', pushgateway: 'gateway', series: 'app:main')
if (steps.called.count('withCredentials') != few + 2) throw new Fault('credentials are not asked for as they should be')
[[config: 'x'], [image: 'app:1', imgae: 'x']].each { options ->
    try {
        library.call(options)
    } catch (Fault fault) {
        if (!fault.message.startsWith('error: cleanbillScan: ')) throw fault
        return
    }
    throw new Fault("goes through: ${options}")
}
if (steps.scripts.any { it.contains('reboot') }) throw new Fault('a value is text of a script')
if (!(steps.called.containsAll(['sh', 'junit', 'publishHTML', 'archiveArtifacts', 'withCredentials']))) throw new Fault("steps: ${steps.called}")

steps.scripts.each { script ->
    def bash = ['bash', '-n', '-c', script].execute()
    if (bash.waitFor() != 0) throw new Fault("bash: ${bash.err.text}\n${script}")
}
println "the Jenkinsfile and the shared step compile as Jenkins compiles them and call ${steps.called.size()} steps with ${steps.scripts.size()} scripts"
