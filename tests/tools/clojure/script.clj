;; What the language rests on: macros, protocols, multimethods, records, lazy sequences, transducers,
;; atoms, refs, agents, futures, spec, regular expressions, Java interoperation, exceptions.
(ns script
  (:require [clojure.string :as str]
            [clojure.set :as set]
            [clojure.walk :as walk]
            [clojure.pprint :refer [pprint cl-format]]
            [clojure.spec.alpha :as s])
  (:import [java.util ArrayList TreeMap Locale]
           [java.time LocalDate]))

(println "args" *command-line-args* (clojure-version))

(defmacro unless [test & body] `(if ~test nil (do ~@body)))
(println (unless false :ran) (macroexpand-1 '(unless a b c)))

(defprotocol Shape (area [this]) (grow [this by]))
(defrecord Square [side]
  Shape (area [_] (* side side)) (grow [this by] (update this :side + by)))
(deftype Circle [^double r]
  Shape (area [_] (* 3 r r)) (grow [_ by] (Circle. (+ r by))))
(extend-protocol Shape String (area [s] (count s)) (grow [s by] (str s by)))
(println (map area [(Square. 3) (Circle. 2.0) "abcd"]) (grow (->Square 1) 4))

(defmulti describe (fn [x & _] (class x)))
(defmethod describe Long [x & _] (str "long " x))
(defmethod describe Number [x & _] (str "number " x))
(defmethod describe :default [x & more] (str "other " (pr-str x more)))
(println (describe 1) (describe 3/4) (describe nil 1 2))

(def primes ((fn sieve [s] (lazy-seq (cons (first s) (sieve (remove #(zero? (mod % (first s))) (rest s)))))) (iterate inc 2)))
(println (take 20 primes))
(println (transduce (comp (filter odd?) (map #(* % %)) (take-while #(< % 500))) + (range)))
(println (reduce *' (range 1 30)) (apply + (map rationalize [0.5 0.25])) (quot -7 2) (rem -7 2) (mod -7 2))
(println (into (sorted-map) (frequencies "mississippi")) (group-by even? (range 6)))
(println (set/union #{1 2} #{2 3}) (sort (set/difference (set (range 10)) #{1 3 5})))

(let [{:keys [a b] :or {b 2} [c & d] :list :as whole} {:a 1 :list [3 4 5]}] (println a b c d (count whole)))
(println (loop [i 0 acc []] (if (< i 5) (recur (inc i) (conj acc (* i i))) acc)))

(def counter (atom 0))
(dorun (pmap (fn [_] (swap! counter inc)) (range 100)))
(def accounts [(ref 100) (ref 0)])
(dorun (map deref (doall (for [_ (range 10)] (future (dosync (alter (first accounts) - 5) (alter (second accounts) + 5)))))))
(def ag (agent []))
(doseq [i (range 5)] (send ag conj i))
(await ag)
(println @counter (map deref accounts) @ag (deref (delay :delayed)))

(println (str/join "," (re-seq #"\d+" "a1b22c333")) (str/replace "x-y-z" #"-(\w)" (fn [[_ c]] (str/upper-case c))))
(println (str (doto (ArrayList.) (.add 3) (.add 1) (java.util.Collections/sort)) (.getDayOfWeek (LocalDate/of 2024 2 29)) (TreeMap. {2 :b 1 :a})))
(println (String/format Locale/ROOT "%05.2f|%x" (to-array [3.14159 255])) (cl-format nil "~R ~:D ~@R" 42 1234567 1999))
(pprint (walk/postwalk #(if (number? %) (inc %) %) {:a [1 2 {:b 3}] :c (range 30) :d "text" :e (zipmap (map str (range 12)) (range))}))

(s/def ::age (s/and int? #(<= 0 % 150)))
(s/def ::person (s/keys :req-un [::name ::age]))
(s/def ::name string?)
(println (s/valid? ::person {:name "x" :age 3}))
(println (s/explain-str ::person {:name 3 :age 200}))

(try (/ 1 0) (catch ArithmeticException e (println "caught" (.getMessage e))))
(try (throw (ex-info "bad" {:code 7})) (catch clojure.lang.ExceptionInfo e (println (ex-message e) (ex-data e))) (finally (println "finally")))
(println (try (eval '(undefined-symbol)) (catch Exception e (.getMessage (.getCause e)))))
(println (eval (read-string "(let [f (fn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))] (f 18))")))
(.run (proxy [Thread] [] (run [] (println "proxied" (.isDaemon ^Thread this)))))
(println (binding [*print-length* 3] (pr-str (range 100))) (meta (with-meta [1] {:m true})) (hash "kiln") (hash [1 2 :a]))
(shutdown-agents)
(throw (ex-info "uncaught at the end" {}))
